"""Clients, workers, time and misfortune as a state machine, whose every step the laws are held against."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from service.domain.status import UNFINISHED, StudyStatus
from tests.integration.harness import Api, spec
from tests.proof.calls import Call, Json
from tests.proof.world import World

MOST_STUDIES = 3
LONG_ENOUGH = 60
CALLS_BETWEEN_RESTARTS = 8
Thing = TypeVar("Thing")
KINDS: Mapping[str, Json] = {
    "random": {},
    "small": {
        "space": {"lr": {"type": "categorical", "choices": [0.1, 0.2, 0.3]}},
        "search": {"algorithm": "grid", "seed": 0},
    },
    "pruned": {"pruning": {"policy": "threshold", "every": 1, "settings": {"lower": 0.3}}},
    "modelled": {"search": {"algorithm": "bayesian", "seed": 1, "settings": {"initial": 100}}},
    "narrowing": {"narrowing": {"policy": "leaders", "every": 2, "settings": {"top": 2}}},
    "timed": {"budget": {"seconds": 60}},
    "measured": {"budget": {"epochs": 8}},
    "aimed": {"budget": {"target": 0.9}},
}
ROUNDS: tuple[Json, ...] = (
    {"ranges": {"lr": {"low": 1e-3, "high": 0.5}}},
    {"ranges": {"lr": {"low": 1e-4, "high": 1.0}}},
    {"policy": "leaders", "settings": {"top": 2}},
    {"from": "undo"},
)
SEARCHES: tuple[Json, ...] = (
    {"algorithm": "random"},
    {"algorithm": "bayesian", "settings": {"initial": 100}},
)
ENDINGS: Mapping[str, Json] = {
    "complete": {"claim_next": 1},
    "fail": {"retryable": True},
    "release": {},
    "report": {"claim_next": 1},
}
GIVEN: tuple[Json, ...] = ({"params": {"lr": 0.1}}, {"params": {"lr": 0.2}, "value": 0.4})


@dataclass(frozen=True, slots=True)
class Manner:
    """How a request is made: under a key perhaps, and perhaps its answer is lost."""

    keyed: bool
    lost: bool


manners = st.builds(
    Manner, keyed=st.sampled_from([False, False, True]), lost=st.sampled_from([False, False, False, True])
)
places = st.integers(0, 11)
"""Which of the things there are, counted from the latest."""
values = st.sampled_from([0.5, 0.1, 0.9])
lengths = st.integers(0, 3)
sample_counts = st.sampled_from([None, 10, 20])
next_counts = st.sampled_from([0, 1, 1, 2])


class Clients(RuleBasedStateMachine):
    def __init__(self, api: Api) -> None:
        super().__init__()
        self.world = World(api)
        self._fresh, self._restarted_at, self._is_sound = count(), 0, True

    @initialize(trials=st.integers(1, 5), kind=st.sampled_from(sorted(KINDS)), attempts=st.integers(1, 3))
    def begin(self, trials: int, kind: str, attempts: int) -> None:
        self._submit(trials, kind, attempts, None, Manner(keyed=False, lost=False))

    @precondition(lambda self: len(self.world.now.studies) < MOST_STUDIES)
    @rule(
        trials=st.integers(1, 5),
        kind=st.sampled_from(sorted(KINDS)),
        attempts=st.integers(1, 3),
        parallel=st.sampled_from([None, 1, 2]),
        manner=manners,
    )
    def submit(self, trials: int, kind: str, attempts: int, parallel: int | None, manner: Manner) -> None:
        self._submit(trials, kind, attempts, parallel, manner)

    @rule(
        worker=st.sampled_from(["ann", "bob"]),
        wanted=st.integers(1, 3),
        request=st.sampled_from([None, "r1", "r2"]),
        purposes=st.sampled_from([["search", "confirmation"], ["search"], ["search", "confirmation", "final_test"]]),
        manner=manners,
    )
    def claim(self, worker: str, wanted: int, request: str | None, purposes: list[str], manner: Manner) -> None:
        asked = {"worker": worker, "objectives": ["bowl"], "count": wanted, "purposes": purposes}
        self._ask("POST", "/claims", asked | ({} if request is None else {"request_id": request}), manner)

    @precondition(lambda self: self.world.held)
    @rule(place=places, value=values, length=lengths, following=next_counts, manner=manners)
    def report(self, place: int, value: float, length: int, following: int, manner: Manner) -> None:
        self._write(place, "report", {"epochs": _epochs(length, value), "claim_next": following}, manner)

    @precondition(lambda self: self.world.held)
    @rule(place=places, value=values, length=lengths, samples=sample_counts, following=next_counts, manner=manners)
    def complete(
        self, place: int, value: float, length: int, samples: int | None, following: int, manner: Manner
    ) -> None:
        said = {"value": value, "samples": samples, "epochs": _epochs(length, value), "claim_next": following}
        self._write(place, "complete", said, manner)

    @precondition(lambda self: self.world.held)
    @rule(place=places, retryable=st.booleans(), length=lengths, manner=manners)
    def fail(self, place: int, retryable: bool, length: int, manner: Manner) -> None:
        said = {"reason": "error", "message": "no", "retryable": retryable, "epochs": _epochs(length, 0.4)}
        self._write(place, "fail", said, manner)

    @precondition(lambda self: self.world.held)
    @rule(place=places, length=lengths, manner=manners)
    def release(self, place: int, length: int, manner: Manner) -> None:
        self._write(place, "release", {"epochs": _epochs(length, 0.4)}, manner)

    @rule(what=st.sampled_from(sorted(ENDINGS)), value=values, length=lengths, manner=manners)
    def work(self, what: str, value: float, length: int, manner: Manner) -> None:
        """A claim and what follows it most often, which single steps seldom come to."""
        for held in self._claimed("ann")[:1]:
            self._write_to(held, what, _said(what, value, length), manner)

    @rule(what=st.sampled_from(sorted(ENDINGS)), value=values, length=lengths, more=st.integers(-1, 1), manner=manners)
    def end_twice(self, what: str, value: float, length: int, more: int, manner: Manner) -> None:
        """A worker that says an end again, perhaps with more or less of its curve."""
        for held in self._claimed("ann")[:1]:
            for epochs in (length, max(0, length + more)):
                self._write_to(held, what, _said(what, value, epochs), manner)

    @rule(what=st.sampled_from(sorted(ENDINGS)), value=values, length=lengths, manner=manners)
    def be_overtaken(self, what: str, value: float, length: int, manner: Manner) -> None:
        """A worker is away for longer than its lease, another one gets its trial, and it comes back."""
        held = self._claimed("ann")
        self.world.move(31)
        self._claimed("bob")
        for one in held:
            self._write_to(one, what, _said(what, value, length), manner)

    @precondition(lambda self: self.world.now.trials)
    @rule(place=places, what=st.sampled_from(["cancel", "retry"]), manner=manners)
    def change_trial(self, place: int, what: str, manner: Manner) -> None:
        trial = _at(list(self.world.now.trials.values()), place)
        name = self.world.now.studies[trial.study_id].name
        self._ask("POST", f"/studies/{name}/trials/{trial.number}/{what}", None, manner)

    @precondition(lambda self: self.world.now.studies)
    @rule(place=places, what=st.sampled_from(["pause", "resume", "stop"]), manner=manners)
    def control(self, place: int, what: str, manner: Manner) -> None:
        self._ask("POST", f"/studies/{self._study(place)}/{what}", None, manner)

    @precondition(lambda self: self.world.now.studies)
    @rule(place=places, trials=st.integers(1, 6), manner=manners)
    def change_budget(self, place: int, trials: int, manner: Manner) -> None:
        self._ask("PATCH", f"/studies/{self._study(place)}", {"budget": {"trials": trials}}, manner)

    @precondition(lambda self: self.world.now.studies)
    @rule(place=places, search=st.sampled_from(SEARCHES), manner=manners)
    def change_search(self, place: int, search: Json, manner: Manner) -> None:
        self._ask("PATCH", f"/studies/{self._study(place)}", {"search": search}, manner)

    @precondition(lambda self: self.world.now.studies)
    @rule(place=places, wanted=st.sampled_from(ROUNDS), manner=manners)
    def open_round(self, place: int, wanted: Json, manner: Manner) -> None:
        self._ask("POST", f"/studies/{self._study(place)}/rounds", wanted, manner)

    @precondition(lambda self: self.world.now.studies)
    @rule(place=places, given=st.sampled_from(GIVEN), manner=manners)
    def enqueue(self, place: int, given: Json, manner: Manner) -> None:
        self._ask("POST", f"/studies/{self._study(place)}/trials", {"trials": [given]}, manner)

    @precondition(lambda self: self.world.now.studies)
    @rule(place=places, manner=manners)
    def confirm(self, place: int, manner: Manner) -> None:
        self._ask("POST", f"/studies/{self._study(place)}/confirmation", {"n": 1, "seeds": 1}, manner)

    @precondition(lambda self: len(self.world.now.studies) == MOST_STUDIES)
    @rule(place=places, manner=manners)
    def delete(self, place: int, manner: Manner) -> None:
        self._ask("DELETE", f"/studies/{self._study(place)}", None, manner)

    @rule(place=places, manner=manners)
    @precondition(lambda self: self.world.calls)
    def say_again(self, place: int, manner: Manner) -> None:
        self._send(_at(self.world.calls, place), lost=manner.lost)

    @rule(place=places)
    @precondition(lambda self: self.world.calls)
    def say_again_and_hear(self, place: int) -> None:
        self._send(_at(self.world.calls, place), lost=False)

    @rule(seconds=st.sampled_from([1, 11, 31, 100, 90_000]))
    def wait(self, seconds: int) -> None:
        self.world.move(seconds)

    @rule(seconds=st.sampled_from([0, 31]))
    def sweep(self, seconds: int) -> None:
        self.world.move(seconds)
        self._guarded(self.world.sweep)

    @precondition(lambda self: self._modelled())
    @rule(place=places)
    def suggest(self, place: int) -> None:
        name = _at(self._modelled(), place)
        self._guarded(lambda: self.world.suggest(name))

    @precondition(lambda self: len(self.world.calls) >= self._restarted_at + CALLS_BETWEEN_RESTARTS)
    @rule()
    def restart(self) -> None:
        self._restarted_at = len(self.world.calls)
        self._guarded(self.world.restart)

    def teardown(self) -> None:
        """Everybody has all the time he needs: then every study that may go on comes to its end."""
        if self._is_sound:
            for _ in range(LONG_ENOUGH):
                if not self._left():
                    break
                self._get_on()
            self.world.check_end()

    def _get_on(self) -> None:
        self.world.move(1_000)
        self.world.sweep()
        for study in list(self.world.now.studies.values()):
            if study.status == StudyStatus.PAUSED:
                self.world.send(Call("POST", f"/studies/{study.name}/resume"))
        for name in self._modelled():
            self.world.suggest(name)
        asked = {"worker": "good", "objectives": ["bowl"], "count": 100}
        for one in self.world.send(Call("POST", "/claims", asked)).claimed:
            self.world.send(
                Call("POST", f"/trials/{one['id']}/complete", {"lease": one["lease"]["token"], "value": 0.2})
            )

    def _left(self) -> bool:
        now = self.world.now
        searching = any(one.status not in (StudyStatus.COMPLETED, StudyStatus.STOPPED) for one in now.studies.values())
        return searching or any(trial.status in UNFINISHED for trial in now.trials.values())

    def _submit(self, trials: int, kind: str, attempts: int, parallel: int | None, manner: Manner) -> None:
        more = {"retry": {"max_attempts": attempts}, "max_parallel": parallel, "name": f"s{next(self._fresh)}"}
        study = spec(**{**KINDS[kind], **more})
        study["budget"] = {**study["budget"], "trials": trials}
        self._ask("POST", "/studies", study, manner)

    def _write(self, place: int, what: str, said: Json, manner: Manner) -> None:
        self._write_to(_at(self.world.held, place), what, said, manner)

    def _write_to(self, held: Json, what: str, said: Json, manner: Manner) -> None:
        self._ask("POST", f"/trials/{held['id']}/{what}", {"lease": held["lease"]["token"], **said}, manner)

    def _claimed(self, worker: str) -> list[Json]:
        """Trials that a worker has just claimed."""
        known = len(self.world.held)
        asked = {"worker": worker, "objectives": ["bowl"], "count": 2}
        self._ask("POST", "/claims", asked, Manner(keyed=False, lost=False))
        return self.world.held[known:]

    def _ask(self, method: str, path: str, body: Json | None, manner: Manner) -> None:
        key = f"k{next(self._fresh)}" if manner.keyed else None
        self._send(Call(method, path, body, key), lost=manner.lost)

    def _send(self, call: Call, *, lost: bool) -> None:
        self._guarded(lambda: self.world.send(call, lost=lost))

    def _guarded(self, act: Callable[[], object]) -> None:
        """What has gone wrong once is told as it is, and not hidden by all that goes wrong after it."""
        self._is_sound = False
        act()
        self._is_sound = True

    def _study(self, place: int) -> str:
        return str(_at(list(self.world.now.studies.values()), place).name)

    def _modelled(self) -> list[str]:
        now = self.world.now
        return [one.name for one in now.studies.values() if now.spec(one.id).search.algorithm == "bayesian"]


def _at(things: Sequence[Thing], place: int) -> Thing:
    return things[-1 - place % len(things)]


def _said(what: str, value: float, length: int) -> Json:
    result = {"value": value} if what == "complete" else {}
    return {**ENDINGS[what], **result, "epochs": _epochs(length, value)}


def _epochs(length: int, value: float) -> list[Json]:
    return [{"epoch": epoch, "score": value} for epoch in range(1, length + 1)]
