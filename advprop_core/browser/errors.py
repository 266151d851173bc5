"""What a browser cannot run."""

from advprop_core.errors import InputError


class NotExportable(InputError):
    """A network whose graph a browser cannot run; the message says what stands in the way.

    Args:
        reason: What stands in the way, as the rest of a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"this network cannot run in a browser: {reason}")
