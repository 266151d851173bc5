"""What a branch would like to see: pictures that follow the gradient of a class or channel."""
