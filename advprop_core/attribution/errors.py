"""Why a map is refused."""

from __future__ import annotations


class UnknownLayer(ValueError):
    """A layer the network does not have or does not use; the message lists near matches."""


class NoGradient(ValueError):
    """The score does not depend on the pixels, or on the layer, as far as autograd can see."""


class Unfit(ValueError):
    """A network or an image that a method does not fit; the message has the reason."""
