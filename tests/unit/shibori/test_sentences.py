"""Studies, verdicts and progress as a person reads them."""

from typing import Any

import pytest

from service.protocol import BestTrial, Importance, Narrowing, StudyView
from shibori.demo.search import study_of
from shibori.demo.story import change_of
from shibori.progress import follow
from shibori.sentences import importance_lines, importance_rows, study_lines, study_row, verdict_lines

NOTHING = dict.fromkeys(["samples", "worker", "failure", "provenance", "started_at", "finished_at"])


def trial(**changes: object) -> dict[str, object]:
    usual = {"id": 1, "study": "s", "study_name": "book", "number": 4, "status": "completed", "purpose": "search"}
    more = {"params": {"lr": 0.0092, "kind": "relu"}, "value": 0.83, "round": 0, "attempt": 1, "seed": 1}
    when = {"origin": "suggested", "created_at": "2026-01-01T00:00:00Z"}
    return {**NOTHING, **usual, **more, **when, **changes}


def best(**changes: object) -> BestTrial:
    return BestTrial.model_validate({**trial(**changes), "rank": 1, "interval": None, "leader": True})


def study(**changes: object) -> StudyView:
    spec = study_of("book", 100).model_dump()
    state = {"id": "s-1", "status": "running", "counts": {"completed": 9, "failed": 1}, "best": trial(), "round": 1}
    nothing = dict.fromkeys(["ended_by", "eta_seconds", "started_at", "finished_at"])
    more = {"warnings": [], "chain": [0, 1], "created_at": "2026-01-01T00:00:00Z"}
    return StudyView.model_validate({**spec, **nothing, **state, **more, **changes})


def test_a_study_is_a_row() -> None:
    assert study_row(study()) == ("book", "running", "10/100", "0.83", "1")


def test_a_study_without_a_result_has_a_dash() -> None:
    assert study_row(study(best=None))[3] == "-"


def test_a_study_is_shown_with_what_is_known_of_it() -> None:
    lines = list(study_lines(study(eta_seconds=12.3, ended_by="budget", status="completed")))
    assert lines == [
        "book (s-1): completed by budget",
        "trials: 10/100 (9 completed, 1 failed)",
        "best validation_accuracy: 0.83 | lr:0.0092, kind:relu",
        "round: 0 > 1",
        "about 12 s to go",
    ]


def test_a_range_is_a_sentence() -> None:
    narrowing = Narrowing.model_validate(
        {
            "round": 0,
            "policy": "leaders",
            "settings": {},
            "ranges": {
                "lr": {
                    "verdict": "narrow",
                    "low": 1e-6,
                    "high": 1e-2,
                    "proposed": {"low": 1e-3, "high": 1e-2},
                    "reason": "the best five lie there",
                    "confidence": None,
                    "trials": [1],
                },
                "kind": {
                    "verdict": "keep",
                    "choices": ["a", "b"],
                    "proposed": {"choices": ["a", "b"]},
                    "reason": "both are among the best",
                    "confidence": None,
                    "trials": [],
                },
            },
        }
    )
    assert list(verdict_lines(narrowing)) == [
        "lr: narrow 1e-06..0.01 to 0.001..0.01: the best five lie there",
        "kind: keep {a, b}: both are among the best",
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, None, "No trial has a value"),
        (None, best(), "is now 0.83"),
        (best(), best(), "is still 0.83"),
        (best(), best(id=2, number=120, value=0.85, round=1), "went from 0.83 to 0.85: trial 120 of round 1"),
    ],
)
def test_the_second_round_is_told_by_what_it_brought(
    before: BestTrial | None, after: BestTrial | None, said: str
) -> None:
    assert said in change_of(before, after)


class Server:
    """Tells a study as it goes on."""

    def __init__(self, *states: StudyView) -> None:
        self.states = list(states)

    def study(self, _: str) -> StudyView:
        return self.states.pop(0)


def test_the_bar_follows_until_the_study_ends(capsys: pytest.CaptureFixture[str]) -> None:
    slept: list[float] = []
    done = study(status="completed", counts={"completed": 100})
    server: Any = Server(study(best=None, counts={}), study(status="paused"), done)
    assert follow(server, "book", slept.append) == done
    assert len(slept) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "100/100" in captured.err
    assert "best 0.83 (lr:0.0092, kind:relu)" in captured.err


def test_a_budget_without_a_number_of_trials_has_a_bar_without_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    ended = study(status="stopped", budget={"seconds": 60.0})
    follow(Server(ended), "book", pytest.fail)  # type: ignore[arg-type]
    assert "10trial" in capsys.readouterr().err


def test_importance_is_a_table_with_what_matters_first_and_a_sentence_each() -> None:
    unknown = {"importance": None, "alone": None, "p_value": None, "matters": False, "reason": "Too few."}
    idle = {"importance": 0.6, "alone": 0.25, "p_value": 0.32, "matters": False, "reason": "Chance."}
    lr = {"importance": 0.5, "alone": 0.4, "p_value": 1.234e-5, "matters": True, "reason": "It matters."}
    told = {"study": "s", "trials": 40, "method": "a forest", "parameters": {"rare": unknown, "idle": idle, "lr": lr}}
    importance = Importance.model_validate(told)
    assert importance_rows(importance)[1:] == [
        ("lr", "50%", "40%", "1.2e-05", "yes"),
        ("idle", "60%", "25%", "0.32", "not told apart"),
        ("rare", "-", "-", "-", "not told apart"),
    ]
    lines = list(importance_lines(importance))
    assert lines == ["From 40 trials, by a forest.", "rare: Too few.", "idle: Chance.", "lr: It matters."]
