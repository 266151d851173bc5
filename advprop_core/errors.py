"""What a person can mend.

The command and the app show the sentence of an :class:`AdvPropError` and nothing more. Any other
exception is a defect of this project, and is shown as one.
"""


class AdvPropError(Exception):
    """Something a person can mend; the text says what is wrong and what to do."""


class InputError(AdvPropError, ValueError):
    """A value, a file or a folder that a person gave and that cannot be used."""
