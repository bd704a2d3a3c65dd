"""Reads what a user's objective returns: a value, or a value and its number of samples."""

from worker.epochs import number_of
from worker.outcome import Unusable, Value


def value_of(returned: object) -> Value:
    if not isinstance(returned, tuple):
        return Value(_number(returned))
    if len(returned) != 2:
        raise Unusable(f"The objective must return a number or (value, samples), got {returned!r:.200}.")
    value, samples = returned
    return Value(_number(value), None if samples is None else _count(samples))


def _number(value: object) -> float:
    if value is None:
        raise Unusable("The objective returned nothing; it must return a number or (value, samples).")
    return number_of("The value of a trial", value)


def _count(samples: object) -> int:
    number = number_of("samples", samples)
    if not 1 <= number < 2**63 or not number.is_integer():
        raise Unusable(f"samples must be a whole number from 1 to 2**63 - 1, got {samples!r}.")
    return int(number)
