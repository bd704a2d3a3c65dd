"""One trial from its claim to its last request, against a server in memory."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from worker_fakes import FakeServer, refusal

from client import ApiError
from service.protocol import ClaimedTrial, KeepWeights, Lease
from worker.attempt import Attempts
from worker.objectives.function import FunctionObjective
from worker.outbox import LARGEST_BATCH
from worker.outcome import Value
from worker.shutdown import Shutdown
from worker.stopping import Stopped
from worker.trial import Trial


class Record:
    """What the process said that it holds."""

    def __init__(self) -> None:
        self.parting = threading.Lock()
        self.said: list[object] = []
        self.watch: Callable[[], object] = lambda: None
        self.alone: list[bool] = []
        """Whether nobody else could have looked at what was held before."""

    def take(self, trial: int, lease: str) -> None:
        self._say((trial, lease))

    def tell(self) -> None:
        self._say("its end")

    def drop(self) -> None:
        self._say(None)

    def _say(self, held: object) -> None:
        self.said.append(held)
        self.watch()
        self.alone.append(self.parting.locked())


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def run(server: FakeServer, claimed: Callable[..., ClaimedTrial], record: Record) -> Callable[..., list[ClaimedTrial]]:
    def run_with(function: Callable[[Trial], object], shutdown: Shutdown | None = None) -> list[ClaimedTrial]:
        runnables: Any = {"f": FunctionObjective(function)}
        attempts: Any = Attempts(server, runnables, record, shutdown or Shutdown())  # type: ignore[arg-type]
        result: list[ClaimedTrial] = attempts.run(claimed())
        return result

    return run_with


def two_epochs(trial: Trial) -> tuple[float, int]:
    trial.report(1, train_loss=0.5)
    trial.report(2, train_loss=0.4)
    return 0.8, 100


def test_a_short_trial_is_one_request_that_claims_the_next(
    run: Any, server: FakeServer, claimed: Any, record: Record
) -> None:
    server.next_trials = [claimed(id=8)]
    assert run(two_epochs) == server.next_trials
    ((name, told),) = server.calls
    assert (name, told["value"], told["samples"], told["claim_next"]) == ("complete", 0.8, 100, 1)
    assert [epoch.epoch for epoch in told["epochs"]] == [1, 2]
    assert record.said == [(7, "token-1"), "its end", (8, "token-1")]
    assert record.alone == [False, True, True]


@pytest.mark.parametrize("value", [0.5, float("nan")])
def test_nobody_else_in_the_process_gives_a_trial_up_while_its_end_is_told(
    run: Any, server: FakeServer, record: Record, value: float
) -> None:
    alone: list[bool] = []
    server.watch = lambda: alone.append(record.parting.locked())
    run(lambda _: value)
    assert alone == [True]
    assert record.said == [(7, "token-1"), "its end", None]
    assert record.alone == [False, True, True]
    assert not record.parting.locked()


def test_what_came_with_the_word_to_stop_is_held_and_nothing_is_told_of_what_is_over(
    run: Any, server: FakeServer, claimed: Callable[..., ClaimedTrial], record: Record
) -> None:
    server.actions, server.next_trials = ["stop"], [claimed(id=8)]
    held = threading.Event()
    record.watch = held.set

    def unaware(trial: Trial) -> float:
        held.clear()
        trial.report(1)
        assert held.wait(120)
        return 0.5

    assert run(unaware) == server.next_trials
    assert record.said == [(7, "token-1"), (8, "token-1")]
    assert server.names() == ["report"]


def test_an_end_that_cannot_be_said_leaves_it_to_the_parent(run: Any, server: FakeServer, record: Record) -> None:
    server.errors = {"complete": [MemoryError()]}
    with pytest.raises(MemoryError):
        run(lambda _: 0.5)
    assert record.said == [(7, "token-1"), "its end", (7, "token-1")]


def test_an_exception_is_told_with_the_epochs_before_it(run: Any, server: FakeServer) -> None:
    def train(trial: Trial) -> float:
        trial.report(1, train_loss=0.5)
        raise ZeroDivisionError("division by zero")

    assert run(train) == []
    ((name, told),) = server.calls
    assert (name, told["reason"]) == ("fail", "error")
    assert told["message"].startswith("ZeroDivisionError: division by zero")
    assert [epoch.epoch for epoch in told["epochs"]] == [1]


def test_a_value_that_is_not_finite_is_told_as_diverged(run: Any, server: FakeServer) -> None:
    run(lambda _: float("nan"))
    assert [(name, told["reason"]) for name, told in server.calls] == [("fail", "diverged")]


def test_a_process_that_shall_end_gives_its_trial_back_with_its_epochs(run: Any, server: FakeServer) -> None:
    shutdown = Shutdown()
    shutdown.requested = True
    assert run(two_epochs, shutdown) == []
    assert server.calls == [("release", {"trial": 7, "epochs": [1]})]


def test_a_result_reached_before_the_end_is_told_but_claims_nothing(run: Any, server: FakeServer) -> None:
    shutdown = Shutdown()

    def train(_: Trial) -> float:
        shutdown.requested = True
        return 0.5

    run(train, shutdown)
    assert [(name, told["claim_next"]) for name, told in server.calls] == [("complete", 0)]


def test_what_an_objective_returns_after_it_heard_of_the_end_is_not_told(run: Any, server: FakeServer) -> None:
    shutdown = Shutdown()
    shutdown.requested = True
    run(lambda trial: 0.5 if trial.should_stop else 1.0, shutdown)
    assert server.names() == ["release"]


def test_a_stop_that_an_objective_turns_into_its_own_error_is_still_a_stop(run: Any, server: FakeServer) -> None:
    shutdown = Shutdown()
    shutdown.requested = True

    def train(trial: Trial) -> float:
        try:
            trial.report(1)
        except Stopped as error:
            raise RuntimeError("interrupted") from error
        return 1.0

    run(train, shutdown)
    assert server.names() == ["release"]


@pytest.mark.parametrize(
    "error", [refusal(409, "lease-lost"), refusal(409, "trial-already-finished"), refusal(404, "trial-not-found")]
)
def test_a_result_that_comes_too_late_is_dropped(run: Any, server: FakeServer, error: ApiError) -> None:
    server.errors = {"complete": [error]}
    assert run(two_epochs) == []
    assert server.names() == ["complete"]


def test_a_result_that_the_server_refuses_fails_with_its_words(run: Any, server: FakeServer) -> None:
    server.errors = {"complete": [refusal(422, "invalid-input")]}
    run(two_epochs)
    assert server.names() == ["complete", "fail"]
    assert "invalid-input" in server.calls[1][1]["message"]


def test_a_long_curve_is_sent_before_the_result(run: Any, server: FakeServer) -> None:
    def train(trial: Trial) -> float:
        for number in range(1, 2 * LARGEST_BATCH + 2):
            trial.report(number)
        return 0.5

    run(train)
    sent = [number for name, told in server.calls if name == "report" for number in told["epochs"]]
    sent += [epoch.epoch for epoch in server.calls[-1][1]["epochs"]]
    assert server.names()[-1] == "complete"
    assert len(server.calls[-1][1]["epochs"]) <= LARGEST_BATCH
    assert sent == list(range(1, 2 * LARGEST_BATCH + 2))


class Learned:
    """An objective whose value comes with what it has learned."""

    name = "f"

    def __init__(self, value: float, weights: Callable[[], bytes]) -> None:
        self._value = Value(value, 100, weights)

    def run(self, trial: ClaimedTrial, session: object) -> Value:
        return self._value


def broken() -> bytes:
    raise MemoryError


@pytest.mark.parametrize(
    ("goal", "bar", "value", "weights", "told"),
    [
        ("maximize", None, 0.8, lambda: b"w", ["upload_weights", "complete"]),
        ("maximize", 0.8, 0.8, lambda: b"w", ["upload_weights", "complete"]),
        ("maximize", 0.9, 0.8, lambda: b"w", ["complete"]),
        ("minimize", 0.9, 0.8, lambda: b"w", ["upload_weights", "complete"]),
        ("maximize", None, 0.8, broken, ["complete"]),
    ],
)
def test_what_was_learned_is_handed_in_before_a_value_that_may_be_the_best(
    server: FakeServer,
    claimed: Callable[..., ClaimedTrial],
    record: Record,
    goal: Any,
    bar: float | None,
    value: float,
    weights: Callable[[], bytes],
    told: list[str],
) -> None:
    attempts: Any = Attempts(server, {"f": Learned(value, weights)}, record, Shutdown())  # type: ignore[arg-type,dict-item]
    attempts.run(claimed(keep_weights=KeepWeights(goal=goal, at_least_as_good_as=bar)))
    assert [name for name in server.names() if name != "report"] == told


def test_a_lease_is_renewed_while_weights_are_packed(
    server: FakeServer, claimed: Callable[..., ClaimedTrial], record: Record
) -> None:
    renewed = threading.Event()
    answer = server.report

    def report(*arguments: Any, **more: Any) -> Any:
        renewed.set()
        return answer(*arguments, **more)

    server.report = report  # type: ignore[method-assign]

    def packed() -> bytes:
        assert renewed.wait(120)
        return b"w"

    lease = Lease(token="t", expires_at=datetime.now(UTC), renew_seconds=0.05)
    attempts: Any = Attempts(server, {"f": Learned(0.5, packed)}, record, Shutdown())  # type: ignore[arg-type,dict-item]
    attempts.run(claimed(keep_weights=KeepWeights(goal="maximize", at_least_as_good_as=None), lease=lease))
    assert ("upload_weights", {"content": b"w"}) in server.calls
