"""Bodies of the ``advprop`` commands; torch and the rest are imported inside them."""
