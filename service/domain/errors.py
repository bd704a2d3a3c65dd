"""The facts that can stand in the way of an operation, each with the way out; none of them knows HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class ShiboriError(Exception):
    """A refusal whose message a user can act on."""

    passes: ClassVar[bool] = False
    """Whether the same may be done a little later, though nobody has changed anything."""


@dataclass(frozen=True)
class Fault:
    """One wrong field: its dotted path and a sentence that says what would be right."""

    field: str
    message: str


class InvalidInput(ShiboriError):
    """Fields that are well formed by themselves but wrong together or wrong here."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidInput":
        return cls([Fault(field, message)])


class StudyNotFound(ShiboriError):
    def __init__(self, study: str) -> None:
        super().__init__(f"There is no study {study!r}; GET /api/v1/studies lists those there are.")


class TrialNotFound(ShiboriError):
    def __init__(self, trial: str) -> None:
        super().__init__(f"There is no trial {trial}; GET /api/v1/studies/{{study}}/trials lists those there are.")


class WorkerNotFound(ShiboriError):
    def __init__(self, name: str) -> None:
        super().__init__(f"No worker {name!r} has asked for trials; GET /api/v1/workers lists those that have.")


class RoundNotFound(ShiboriError):
    def __init__(self, number: int, last: int) -> None:
        super().__init__(f"There is no round {number}; the study has the rounds 0 to {last}.")


class StudyNameTaken(ShiboriError):
    def __init__(self, name: str) -> None:
        super().__init__(f"A study named {name!r} exists already; choose another name or delete that study.")


class StudyIsRunning(ShiboriError):
    def __init__(self, name: str) -> None:
        super().__init__(f"The study {name!r} is running; pause or stop it before you delete it.")


class TransitionRefused(ShiboriError):
    """The state machine has no such edge."""

    def __init__(self, what: str, old: str, new: str, way_out: str) -> None:
        super().__init__(f"{what} is {old} and cannot become {new}. {way_out}")


class BudgetUsedUp(ShiboriError):
    def __init__(self, asked: int, left: int) -> None:
        super().__init__(
            f"{asked} more trials do not fit into the budget, which has room for {left}; "
            "raise it first: PATCH the study with a higher budget.trials."
        )


class LeaseLost(ShiboriError):
    """The write carries a lease that is not, or no longer, the one in force."""

    def __init__(self, trial: int) -> None:
        super().__init__(
            f"This lease on trial {trial} is no longer held: it expired and was taken back, or its attempt has "
            "ended. This request changes nothing; drop the attempt and claim another trial."
        )


class TrialAlreadyFinished(ShiboriError):
    def __init__(self, trial: int, status: str) -> None:
        super().__init__(
            f"Trial {trial} is already {status} with another result, and the first one counts. "
            "Drop this result and claim another trial."
        )


class NothingToNarrow(ShiboriError):
    def __init__(self, why: str) -> None:
        super().__init__(f"No range can be narrowed: {why}")


class JudgementTooSlow(ShiboriError):
    """Others wait to write for as long as a round is judged."""

    passes = True

    def __init__(self, study: str, why: str) -> None:
        super().__init__(
            f"What becomes of the ranges of {study!r} could not be told in time ({why}), and no round was "
            "opened. Ask again when the server has less to do; or GET its narrowing, which takes the time that it "
            'needs, and open a round by hand, as in {"ranges": {"lr": {"low": 0.001, "high": 0.1}}}.'
        )


class NotReplayable(ShiboriError):
    """The values of a trial cannot be suggested again."""

    def __init__(self, trial: int, why: str) -> None:
        super().__init__(f"The suggestion of trial {trial} cannot be computed again. {why}")


class WeightsNotKept(ShiboriError):
    """The study does not ask for what its trials learn."""

    def __init__(self, study: str) -> None:
        super().__init__(f'The study {study!r} keeps no weights; submit one with "keep_weights": "best".')


class WeightsNotFound(ShiboriError):
    """Nobody has handed in what the best trial has learned."""

    def __init__(self, study: str, best: int | None) -> None:
        there = "no trial with a value yet" if best is None else f"no weights of its best trial, number {best}"
        super().__init__(
            f"The study {study!r} has {there}. A trial that was imported has none, nor has one whose worker could not "
            "hand them in, which its log tells."
        )


class NothingToConfirm(ShiboriError):
    def __init__(self, study: str) -> None:
        super().__init__(
            f"The study {study!r} has no completed trial to train again yet; wait for one, or import a result."
        )


class ConfirmationNotFound(ShiboriError):
    def __init__(self, study: str) -> None:
        super().__init__(f"Nobody has asked to confirm trials of {study!r}; POST to the same address does.")


class ConfirmationDiffers(ShiboriError):
    """Repeats on the study's split and repeats on fresh ones are not to be compared."""

    def __init__(self, *, new_splits: bool) -> None:
        there, way_out = ("fresh splits", "true") if new_splits else ("the study's own split", "false")
        super().__init__(
            f"What is confirmed so far was trained on {there}, and on other splits it could not be compared with it; "
            f'ask with "new_splits": {way_out}, or clone the study and import its best trials there.'
        )


class NothingConfirmed(ShiboriError):
    """There is no best confirmed trial to take by itself."""

    def __init__(self, study: str, why: str) -> None:
        super().__init__(
            f"The final test takes the best confirmed trial, and in {study!r} {why}. POST to its confirmation and wait "
            'until it is completed, or say which trial to take, as in {"trial": 7}.'
        )


class FinalTestNotFound(ShiboriError):
    def __init__(self, study: str) -> None:
        super().__init__(f"Nobody has asked for the final test of {study!r}; POST to the same address does, once.")


class AnotherTrialPicked(ShiboriError):
    """A test set that decides between trials is a validation set."""

    def __init__(self, study: str, picked: int | None) -> None:
        super().__init__(
            f"The final test of {study!r} is of trial {picked}, and there is no other; GET it, or POST without a trial."
        )


class NoTestSet(ShiboriError):
    def __init__(self, objective: str) -> None:
        super().__init__(
            f"The objective {objective!r} has no test set, so that there is no final test; the confirmation is the "
            "last word on these trials."
        )


class IdempotencyKeyReused(ShiboriError):
    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another request; use a fresh key for each new request.")


class FigureNotFound(ShiboriError):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no figure {name!r}; this server draws {', '.join(known)}, as .png or .svg.")
