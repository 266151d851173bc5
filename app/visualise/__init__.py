"""The Visualise page: what each branch would like to see."""
