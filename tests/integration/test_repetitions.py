"""What is said twice under one lease: the same finds what is recorded, and more than that is refused."""

from typing import Any

import pytest

from tests.integration.harness import Api, Json, ok, refused

DAY = 86_400.0
ENDS: tuple[tuple[str, Json], ...] = (("complete", {"value": 0.1, "samples": 100_000}), ("fail", {}), ("release", {}))


def test_the_same_completion_again_gets_the_stored_result_and_the_same_next_lease(api: Api) -> None:
    api.submit(budget={"trials": 5})
    claimed = api.claim_one()
    first = ok(api.complete(claimed, 0.7, claim_next=2, epochs=[{"epoch": 1, "score": 0.7}]))
    again = ok(api.complete(claimed, 0.7, claim_next=2, epochs=[{"epoch": 1, "score": 0.7}]))
    assert again == first
    assert len(first["claimed"]["trials"]) == 2
    assert api.counts() == {"completed": 1, "running": 2}
    assert len(ok(api.get("/studies/study/trials/0/curve"))["epochs"]) == 1


def test_a_completion_with_other_samples_is_another_one(api: Api) -> None:
    api.submit(budget={"trials": 2})
    with_samples, without = api.claim(2)
    ok(api.complete(with_samples, 0.7, samples=100))
    refused(api.complete(with_samples, 0.7, samples=50), 409, "trial-already-finished")
    assert ok(api.complete(with_samples, 0.7))["trial"]["samples"] == 100
    ok(api.complete(without, 0.7))
    refused(api.complete(without, 0.7, samples=100), 409, "trial-already-finished")
    assert api.trial(without["number"])["samples"] is None


def test_a_late_duplicate_of_a_completion_leases_nothing(api: Api) -> None:
    """Its worker has heard the first answer and gone on: nobody would run what the second one gave."""
    api.submit(budget={"trials": 5})
    claimed = api.claim_one()
    (following,) = ok(api.complete(claimed, 0.7, claim_next=1))["claimed"]["trials"]
    ok(api.complete(following, 0.8))
    late = ok(api.complete(claimed, 0.7, claim_next=1))
    assert (late["trial"]["value"], late["claimed"]["trials"]) == (0.7, [])
    assert api.counts() == {"completed": 2}


def test_a_late_duplicate_of_a_report_that_was_told_to_stop_leases_nothing(api: Api) -> None:
    api.submit(budget={"trials": 5})
    claimed = api.claim_one()
    ok(api.post("/studies/study/trials/0/cancel"))
    (following,) = ok(api.tell(claimed, "report", claim_next=1))["claimed"]["trials"]
    ok(api.complete(following, 0.8))
    assert ok(api.tell(claimed, "report", claim_next=1))["claimed"]["trials"] == []
    assert api.counts() == {"completed": 1, "cancelled": 1}


def said(api: Api, claimed: Json, what: str, end: Json, last_epoch: int) -> Any:
    """The end of an attempt, with its epochs up to a number."""
    return api.tell(claimed, what, **end, epochs=[{"epoch": n, "score": n / 10} for n in range(last_epoch + 1)])


@pytest.mark.parametrize(("what", "end"), ENDS)
@pytest.mark.parametrize("recorded", [-1, 0, 2])
def test_an_end_said_again_with_epochs_that_were_not_recorded_is_refused(
    api: Api, what: str, end: Json, recorded: int
) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    first = ok(said(api, claimed, what, end, recorded))
    before = api.trial(0)
    refused(said(api, claimed, what, end, recorded + 1), 409, "lease-lost")
    assert ok(said(api, claimed, what, end, recorded)) == first
    assert ok(said(api, claimed, what, end, -1)) == first
    assert api.trial(0) == before
    assert [point["epoch"] for point in ok(api.get("/studies/study/trials/0/curve"))["epochs"]] == [
        *range(recorded + 1)
    ]


@pytest.mark.parametrize(("what", "end"), ENDS)
def test_an_end_is_the_same_when_its_last_epochs_were_reported_before_it(api: Api, what: str, end: Json) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    ok(said(api, claimed, "report", {}, 2))
    first = ok(api.tell(claimed, what, **end))
    assert ok(said(api, claimed, what, end, 2)) == first
    refused(said(api, claimed, what, end, 3), 409, "lease-lost")


@pytest.mark.parametrize(("what", "end"), ENDS)
def test_an_end_is_the_same_when_its_curve_was_forgotten_since(api: Api, what: str, end: Json) -> None:
    api.submit(budget={"trials": 2})
    best, claimed = api.claim(2)
    ok(api.complete(best, 0.99, samples=100_000))
    first = ok(said(api, claimed, what, end, 2))
    if what == "release":
        ok(api.tell(api.claim_one(), "fail"))
    api.clock.move(31 * DAY)
    forgotten = ok(api.post("/studies/study/forget-curves", {"older_than_days": 30, "keep_best": 1}))
    assert forgotten["curves"] == 1
    again = ok(said(api, claimed, what, end, 2))
    assert again == first or (what, again["status"]) == ("release", "failed")
    refused(said(api, claimed, what, end, 3), 409, "lease-lost")


def test_a_report_on_a_trial_that_was_stopped_hears_so_again_and_is_not_recorded(api: Api) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    ok(api.post("/studies/study/trials/0/cancel"))
    assert ok(said(api, claimed, "report", {"claim_next": 1}, 1))["action"] == "stop"
    assert ok(said(api, claimed, "report", {"claim_next": 1}, 2))["action"] == "stop"
    refused(said(api, claimed, "report", {}, 1), 409, "lease-lost")
    assert [point["epoch"] for point in ok(api.get("/studies/study/trials/0/curve"))["epochs"]] == [0, 1]
