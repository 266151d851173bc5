"""The ``advprop`` command: ``main`` routes, the other files are its commands."""
