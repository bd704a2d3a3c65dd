"""Many clients at once: they wait for each other without end nowhere, and what is asked twice is done once."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, TypeVar

import pytest

from tests.integration.harness import Api, Json, ok, spec

T = TypeVar("T")


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """What each gives, all begun at the same moment."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        gate.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.parametrize("max_parallel", [None, 2])
def test_workers_of_several_studies_complete_exactly_their_budgets(api: Api, max_parallel: int | None) -> None:
    names = ["a", "b", "c"]
    for name in names:
        api.submit(name, budget={"trials": 20}, **({} if max_parallel is None else {"max_parallel": max_parallel}))

    def work(worker: str) -> list[int]:
        done: list[int] = []
        while not all(api.show(name)["status"] == "completed" for name in names):
            claimed = api.claim(1, worker=worker)
            while claimed:
                done += [trial["id"] for trial in claimed]
                claimed = ok(api.complete(claimed[0], 0.5, claim_next=1))["claimed"]["trials"]
                assert len(done) <= 60
        return done

    done = list(chain.from_iterable(at_once([lambda n=n: work(f"w{n}") for n in range(6)])))  # type: ignore[misc]
    assert len(done) == len(set(done)) == 60
    for name in names:
        assert api.counts(name) == {"completed": 20}
        assert all(len(api.trial(number, name)["attempts"]) == 1 for number in range(20))


def test_one_request_for_trials_asked_many_times_at_once_gets_the_same_leases(api: Api) -> None:
    api.submit(budget={"trials": 50})
    answers = at_once([lambda: api.claim(2, request_id="r")] * 6)
    assert len({str(answer) for answer in answers}) == 1
    assert api.counts() == {"running": 2}


def test_one_submission_under_a_key_made_many_times_at_once_is_made_once(api: Api) -> None:
    def submit() -> Any:
        return api.post("/studies", spec("once"), headers={"Idempotency-Key": "k"})

    answers = at_once([submit] * 6)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1


def test_one_completion_said_many_times_at_once_is_recorded_once(api: Api) -> None:
    api.submit(budget={"trials": 9})
    claimed = api.claim_one()
    answers: list[Json] = at_once([lambda: ok(api.complete(claimed, 0.5, claim_next=1))] * 6)
    assert len({answer["claimed"]["trials"][0]["id"] for answer in answers}) == 1
    assert api.counts() == {"completed": 1, "running": 1}
