"""An evaluation as a report: its sections, plots, tables and files."""
