"""Can a map be trusted? Only ``recomputed`` knows how the map was made.

``curves`` removes and brings back pixels in the map's order, ``fidelity`` asks whether the map
predicts changes of the score and whether it shakes, ``randomisation`` whether it depends on the
weights, ``agreement`` whether two maps say the same, ``objects`` whether it looks at the object.
``trust`` asks all of that about the maps of one image; ``recomputed`` makes them again where need
be.

Maps come as tensors (N, H, W), or from a callable that makes them. Where nothing can be said,
the result is :class:`~advprop_core.faithfulness.maps.Undefined` with the reason, never NaN.
"""
