"""A judgement of ranges holds nothing up: it looks at so many trials only, and no result depends on it."""

import logging
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest

from service.narrowing.leaders import Leaders
from service.operations import open_round, selection
from service.storage.rounds import Rounds
from service.storage.store import Store
from tests.integration.harness import LOG_RANGE, Api, Json, ok, refused

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")

BY_ITSELF = {"policy": "leaders", "every": 1, "settings": {"top": 1}}
SPACE = {"lr": LOG_RANGE, "n": {"type": "categorical", "choices": [3]}}
Fail = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies of more than twenty trials are of very many."""
    monkeypatch.setattr(selection, "MOST", 20)


@pytest.fixture
def endless() -> Iterator[Event]:
    """What is never done until the test is."""
    over = Event()
    yield over
    over.set()


def raising(error: Exception) -> Fail:
    def fail(*_: object) -> Any:
        raise error

    return lambda monkeypatch: monkeypatch.setattr(Leaders, "judge", fail)


def refused_by_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a round 0 already."""
    monkeypatch.setattr(Rounds, "last", lambda *_: -1)


@pytest.mark.parametrize(
    "fail",
    [raising(RuntimeError("wrong")), raising(MemoryError()), refused_by_the_database],
    ids=["a mistake", "no memory", "a round that is refused"],
)
def test_a_result_is_recorded_though_its_study_can_open_no_round(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fail: Fail
) -> None:
    api.submit(narrowing=BY_ITSELF)
    fail(monkeypatch)
    with caplog.at_level(logging.ERROR, "shibori.rounds"):
        answer = ok(api.complete(api.claim_one(), 0.5, claim_next=1))
    assert (answer["trial"]["status"], answer["trial"]["value"]) == ("completed", 0.5)
    assert len(answer["claimed"]["trials"]) == 1
    assert [one["number"] for one in ok(api.get("/studies/study/rounds"))["items"]] == [0]
    assert "opened no round by itself" in caplog.text


def test_a_database_that_is_short_of_memory_while_a_round_is_opened_acknowledges_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: object) -> int:
        raise MemoryError

    api.submit(narrowing=BY_ITSELF)
    claimed = api.claim_one()
    with monkeypatch.context() as patched:
        patched.setattr(Rounds, "last", short)
        assert api.complete(claimed, 0.5).status_code == 503
    assert api.counts() == {"running": 1}
    assert ok(api.complete(claimed, 0.5))["trial"]["status"] == "completed"


def test_a_result_is_recorded_though_the_judgement_does_not_end(
    api: Api, monkeypatch: pytest.MonkeyPatch, endless: Event
) -> None:
    ended = []
    monkeypatch.setattr(open_round, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(Leaders, "judge", lambda *_: ended.append(endless.wait(60)))
    api.submit(narrowing=BY_ITSELF)
    ok(api.complete(api.claim_one(), 0.5))
    assert api.counts()["completed"] == 1
    assert api.show()["round"] == 0
    assert not ended


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "key"}], ids=["without a key", "under a key"])
@pytest.mark.parametrize("wanted", [{"from": "proposal"}, {"policy": "leaders"}], ids=["proposal", "policy"])
def test_a_round_by_hand_is_refused_where_the_judgement_does_not_end_and_opened_when_asked_for_again(
    api: Api, monkeypatch: pytest.MonkeyPatch, endless: Event, wanted: Json, key: dict[str, str]
) -> None:
    api.submit(narrowing={"policy": "leaders"})
    given(api, 20)
    with monkeypatch.context() as patched:
        patched.setattr(open_round, "PATIENCE_SECONDS", 0.01)
        patched.setattr(Leaders, "judge", lambda *_: endless.wait(60))
        answer = api.post("/studies/study/rounds", wanted, headers=key)
    assert "by hand" in refused(answer, 503, "judgement-too-slow")["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert api.show()["round"] == 0
    assert ok(api.post("/studies/study/rounds", wanted, headers=key), 201)["number"] == 1


@pytest.mark.parametrize("error", [RuntimeError("wrong"), TimeoutError("wrong")], ids=["a mistake", "a wait in it"])
def test_a_policy_that_fails_is_not_taken_for_one_that_is_slow(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    api.submit(narrowing={"policy": "leaders"})
    raising(error)(monkeypatch)
    refused(api.post("/studies/study/rounds", {"from": "proposal"}), 500, "server-error")
    assert api.show()["round"] == 0


def by_evidence(fewest: int) -> Json:
    return {"policy": "evidence", "settings": {"fewest": fewest}}


def given(api: Api, count: int, value: Callable[[int], float] = float, **others: int) -> None:
    """Trials that are better the later they are."""
    trials = [{"params": {"lr": 10 ** (-3.9 * n / count), **others}, "value": value(n)} for n in range(count)]
    ok(api.post("/studies/study/trials", {"trials": trials}), 201)


def judged(api: Api, name: str = "lr") -> Json:
    """Of a single choice the verdict names all trials that were looked at."""
    verdict: Json = ok(api.get("/studies/study/narrowing"))["ranges"][name]
    return verdict


def of_study(api: Api, read: Callable[[Store, str], Any]) -> Any:
    """What is read of the study in the database."""
    return api.app.state.database.read(lambda store: read(store, store.studies.get("study").id))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("policy", ["evidence", "leaders"])
def test_of_no_more_trials_than_it_can_look_at_a_judgement_rests_on_all(api: Api, policy: str) -> None:
    api.submit(narrowing={"policy": policy})
    given(api, 20)
    assert "This rests on" not in judged(api)["reason"]


@pytest.mark.usefixtures("few")
def test_of_very_many_trials_the_evidence_rests_on_an_even_draw_and_says_so(api: Api) -> None:
    api.submit(space=SPACE, narrowing=by_evidence(5))
    given(api, 60, n=3)
    verdict = judged(api, "n")
    assert verdict["reason"].endswith("This rests on 20 of the 60 finished trials, drawn evenly by number.")
    assert verdict["trials"] == list(range(1, 60, 3))


@pytest.mark.usefixtures("few")
def test_of_very_many_trials_half_of_an_even_draw_are_of_the_round_in_force(api: Api) -> None:
    api.submit(space=SPACE, narrowing=by_evidence(5))
    given(api, 40, n=3)
    ok(api.post("/studies/study/rounds", {"ranges": {"lr": {"low": 1e-3}}}), 201)
    given(api, 12, n=3)
    verdict = judged(api, "n")
    which = (
        "This rests on 20 of the 52 finished trials: 10 of the round in force and 10 others, drawn evenly by number."
    )
    assert verdict["reason"].endswith(which)
    assert sum(number >= 40 for number in verdict["trials"]) == 10


@pytest.mark.usefixtures("few")
def test_numbers_without_a_result_take_no_place_of_others_in_an_even_draw(api: Api) -> None:
    api.submit(space=SPACE, narrowing=by_evidence(5), budget={"trials": 1000})
    given(api, 30, n=3)
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.5, "n": 3}} for _ in range(90)]}), 201)
    given(api, 30, n=3)
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.5, "n": 3}} for _ in range(90)]}), 201)
    assert len(judged(api, "n")["trials"]) == 20


@pytest.mark.usefixtures("few")
def test_an_even_draw_goes_up_to_the_last_number_though_early_ones_finished_after_it(api: Api) -> None:
    api.submit(space=SPACE, narrowing=by_evidence(5), budget={"trials": 1000})
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.5, "n": 3}} for _ in range(50)]}), 201)
    given(api, 70, n=3)
    for claimed in api.claim(50):
        ok(api.complete(claimed))
    assert judged(api, "n")["trials"] == list(range(3, 120, 6))


@pytest.mark.usefixtures("few")
def test_one_number_far_ahead_of_the_others_thins_out_no_even_draw(api: Api) -> None:
    api.submit(space=SPACE, narrowing=by_evidence(5), budget={"trials": 10_000})
    given(api, 59, n=3)
    for _ in range(6):
        ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.5, "n": 3}} for _ in range(100)]}), 201)
    given(api, 1, n=3)
    assert judged(api, "n")["trials"] == list(range(1, 60, 3))


def test_the_highest_number_that_has_finished_is_one_of_any_end(api: Api) -> None:
    api.submit()
    found = [of_study(api, lambda store, study: store.trials.highest_finished(study))]
    for what, said in (("complete", {"value": 0.5}), ("fail", {"message": "no"}), ("release", {})):
        ok(api.tell(api.claim_one(), what, **said))
        found.append(of_study(api, lambda store, study: store.trials.highest_finished(study)))
    assert found == [-1, 0, 1, 1]


def test_more_numbers_than_a_statement_takes_are_looked_up(api: Api) -> None:
    api.submit(space=SPACE)
    given(api, 3, n=3)
    numbers = [*range(2, 70_000), 1]
    found = of_study(api, lambda store, study: store.trials.finished_of(study, numbers))
    assert [one.number for one in found] == [1, 2]


@pytest.mark.usefixtures("few")
def test_of_very_many_trials_as_many_are_judged_as_the_fewest_take(api: Api) -> None:
    api.submit(space=SPACE, narrowing=by_evidence(25))
    given(api, 60, n=3)
    assert len(judged(api, "n")["trials"]) == 50


def test_of_very_many_parameters_fewer_trials_are_judged(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MOST_NUMBERS", 80)
    api.submit(space=SPACE, narrowing=by_evidence(5))
    given(api, 60, n=3)
    assert len(judged(api, "n")["trials"]) == 40


@pytest.mark.usefixtures("few")
def test_of_very_many_trials_the_leaders_are_still_the_best(api: Api) -> None:
    api.submit(narrowing={"policy": "leaders", "settings": {"top": 3}})
    given(api, 60, value=lambda n: n * 7 % 60)
    best = sorted(range(60), key=lambda n: -(n * 7 % 60))[:3]
    verdict = judged(api)
    assert verdict["trials"] == best
    assert verdict["reason"].endswith("This rests on the best 20 of the 60 finished trials.")


@pytest.mark.usefixtures("few")
def test_of_very_many_trials_as_many_lead_as_the_rule_asks_for(api: Api) -> None:
    api.submit(narrowing={"policy": "leaders", "settings": {"top": 30}})
    given(api, 60)
    assert judged(api)["trials"] == list(range(59, 29, -1))


@pytest.mark.usefixtures("few")
def test_the_leaders_are_found_in_the_round_in_force_though_all_the_best_lie_elsewhere(api: Api) -> None:
    api.submit(space={"lr": LOG_RANGE}, narrowing={"policy": "leaders", "settings": {"top": 3}}, budget={"trials": 5})
    given(api, 60)
    ok(api.post("/studies/study/rounds", {"ranges": {"lr": {"low": 0.9}}}), 201)
    for claimed in api.claim(5):
        ok(api.complete(claimed, -claimed["params"]["lr"]))
    verdict = judged(api)
    assert len(verdict["trials"]) == 3
    assert min(verdict["trials"]) >= 60
    which = "This rests on the best 20 of the 65 finished trials, and of those of the round in force."
    assert verdict["reason"].endswith(which)
