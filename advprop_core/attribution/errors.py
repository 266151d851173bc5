"""Why a map is refused."""

from advprop_core.errors import InputError


class UnknownLayer(InputError):
    """A layer the network does not have or does not use; the message lists near matches."""


class NoGradient(InputError):
    """The score does not depend on the pixels, or on the layer, as far as autograd can see."""


class Unfit(InputError):
    """A network or an image that a method does not fit; the message has the reason."""
