"""What can go wrong in training, named after the fact."""


class Diverged(ArithmeticError):
    """The loss is no longer a finite number, so no further step can help."""


class DataError(ValueError):
    """The data cannot be trained on; the message says what is wrong and the way out."""


class NotEnoughData(DataError):
    """More images were asked for than there are."""
