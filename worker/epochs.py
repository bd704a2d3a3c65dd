"""Points of a learning curve, read from what an objective reports."""

import math
from collections.abc import Mapping
from typing import SupportsFloat, SupportsIndex

from pydantic import ValidationError

from service.protocol import Epoch
from worker.outcome import Unusable


def epoch_of(raw: Mapping[str, object]) -> Epoch:
    """An epoch with its numbers; one that is not finite is left out, since JSON has none."""
    numbers = {name: number_of(name, value) for name, value in raw.items() if name != "epoch"}
    finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
    try:
        return Epoch.model_validate({"epoch": _whole(raw.get("epoch")), **finite})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unusable(f"An epoch was reported whose {place} cannot be: {first['msg']}.") from error


def number_of(name: str, value: object) -> float:
    """A plain float, also from the scalars of NumPy and of other libraries."""
    if isinstance(value, SupportsFloat | SupportsIndex):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    raise Unusable(f"{name} must be a number, got {value!r:.200}.")


def _whole(value: object) -> int:
    if value is None:
        raise Unusable('A report must say which epoch it is of, as in {"epoch": 1, "train_loss": 0.5}.')
    number = number_of("epoch", value)
    if not number.is_integer():
        raise Unusable(f"epoch must be a whole number, got {value!r:.200}.")
    return int(number)
