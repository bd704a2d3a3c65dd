"""How a run of an objective ended, whatever it returned or raised."""

import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from trainer.objectives import DataError, Diverged
from worker.stopping import Halt, Stopped

LAST_LINES = 20
LONGEST_MESSAGE = 8_000


@dataclass(frozen=True, slots=True)
class Value:
    """The number that a trial was run for, how many samples are behind it, and how to pack what it has learned."""

    value: float
    samples: int | None = None
    weights: Callable[[], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    reason: Literal["error", "diverged"]
    message: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Ended from outside: there is no result to tell."""

    halt: Halt


Outcome: TypeAlias = Value | Failed | Dropped


class Unusable(Exception):
    """What an objective did cannot be a result; the sentence says what it should do."""


def outcome_of(run: Callable[[], Value]) -> Outcome:
    """Runs an objective: nothing that it raises goes past this place but the end of the process."""
    try:
        value = run()
    except Stopped as error:
        return Dropped(error.halt)
    except Diverged as error:
        return Failed("diverged", _clipped(str(error)))
    except (DataError, Unusable) as error:
        return Failed("error", _clipped(str(error)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may raise anything
        return Failed("error", described(error))
    if not math.isfinite(value.value):
        return Failed("diverged", f"The objective returned {value.value}, which is not a finite number.")
    return value


def described(error: BaseException) -> str:
    """Type and message, then the last lines of the traceback."""
    head = "".join(traceback.format_exception_only(error)).strip()
    lines = "".join(traceback.format_tb(error.__traceback__)).splitlines()
    return _clipped("\n".join([head, "", *lines[-LAST_LINES:]]))


def _clipped(message: str) -> str:
    speakable = message.encode("utf-8", "replace").decode()
    return speakable if len(speakable) <= LONGEST_MESSAGE else f"{speakable[:LONGEST_MESSAGE]} ..."
