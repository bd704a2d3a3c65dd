"""Early stopping: the rule looks at what is reported, and the answer to a report says stop."""

from typing import Any

import pytest

from tests.integration.harness import Api, Json, ok, refused, spec

ASHA = {"policy": "asha", "settings": {"first": 2, "reduction": 2}}


def epochs(values: list[float], first: int = 1) -> list[Json]:
    return [{"epoch": epoch, "score": value, "train_loss": 1.0} for epoch, value in enumerate(values, first)]


def report(api: Api, claimed: Json, values: list[float], first: int = 1) -> Json:
    answer: Json = ok(api.tell(claimed, "report", epochs=epochs(values, first)))
    return answer


def test_a_run_behind_the_others_is_stopped_and_keeps_its_curve_value_and_reason(api: Api) -> None:
    api.submit(pruning=ASHA)
    good, bad = api.claim(2)
    assert report(api, good, [0.1, 0.8])["action"] == "continue"
    answer = report(api, bad, [0.1, 0.3])
    assert answer["action"] == "stop"
    assert "behind that of 1 of 1 other runs" in answer["reason"]
    trial = api.trial(bad["number"])
    assert (trial["status"], trial["value"], trial["stop_reason"]) == ("pruned", 0.3, answer["reason"])
    assert trial["attempts"][0]["end"] == "pruned"
    curve = ok(api.get(f"/studies/study/trials/{bad['number']}/curve"))["epochs"]
    assert [epoch["score"] for epoch in curve] == [0.1, 0.3]
    assert api.counts() == {"running": 1, "pruned": 1}


def test_a_claim_and_each_answer_say_after_which_epoch_a_report_is_waited_for(api: Api) -> None:
    api.submit(pruning=ASHA)
    claimed = api.claim_one()
    assert claimed["report_at"] == 2
    assert report(api, claimed, [0.1])["report_at"] == 2
    assert report(api, claimed, [0.2, 0.3], 2)["report_at"] == 4
    assert report(api, claimed, [0.4, 0.5, 0.6], 4)["report_at"] == 8


def test_without_a_rule_nobody_waits_for_a_report(api: Api) -> None:
    api.submit()
    claimed = api.claim_one()
    assert claimed["report_at"] is None
    answer = report(api, claimed, [0.1] * 9)
    assert (answer["action"], answer["report_at"]) == ("continue", None)


def test_a_run_that_reports_seldom_is_compared_at_the_last_rung_that_it_has_passed(api: Api) -> None:
    api.submit(pruning=ASHA)
    seldom, other = api.claim(2)
    ok(api.tell(seldom, "report", epochs=[{"epoch": 10, "score": 0.9}]))
    assert report(api, other, [0.1, 0.5])["action"] == "continue"
    assert report(api, other, [0.6] * 6, 3)["action"] == "stop"


def test_what_comes_with_a_completion_is_compared_with_too_and_is_never_refused(api: Api) -> None:
    api.submit(pruning=ASHA)
    first, second, third = api.claim(3)
    ok(api.complete(first, 0.9, epochs=epochs([0.1, 0.9])))
    ok(api.complete(second, 0.2, epochs=epochs([0.1, 0.2])))
    assert api.trial(second["number"])["status"] == "completed"
    assert "of 2 other runs" in report(api, third, [0.1, 0.1])["reason"]


def test_a_completion_after_the_stop_is_too_late(api: Api) -> None:
    api.submit(pruning=ASHA)
    good, bad = api.claim(2)
    report(api, good, [0.1, 0.8])
    report(api, bad, [0.1, 0.3])
    refused(api.complete(bad, 0.99), 409, "lease-lost")
    assert api.trial(bad["number"])["value"] == 0.3


def test_a_second_attempt_takes_the_place_of_the_first(api: Api) -> None:
    api.submit(pruning=ASHA)
    first, other = api.claim(2)
    report(api, first, [0.1, 0.9])
    ok(api.tell(first, "release"))
    again = api.claim_one()
    assert again["number"] == first["number"]
    report(api, again, [0.1, 0.2])
    assert report(api, other, [0.1, 0.3])["action"] == "continue"


def test_minimized_values_are_better_when_they_are_lower(api: Api) -> None:
    api.submit(pruning=ASHA, metric={"name": "score", "goal": "minimize"})
    good, bad = api.claim(2)
    assert report(api, good, [0.9, 0.1])["action"] == "continue"
    assert report(api, bad, [0.9, 0.5])["action"] == "stop"


def test_other_numbers_than_the_metric_stop_nobody(api: Api) -> None:
    api.submit(pruning={"policy": "threshold", "settings": {"lower": 0.5}})
    claimed = api.claim_one()
    assert ok(api.tell(claimed, "report", epochs=[{"epoch": 1, "train_loss": 0.1}]))["action"] == "continue"
    assert report(api, claimed, [0.4], 2)["action"] == "stop"


def test_pruned_trials_count_in_the_budget_and_rank_behind_every_completed_one(api: Api) -> None:
    api.submit(pruning=ASHA, budget={"trials": 2})
    good, bad = api.claim(2)
    report(api, good, [0.1, 0.2])
    ok(api.complete(good, 0.05))
    report(api, bad, [0.1, 0.19])
    assert api.show()["status"] == "completed"
    best = ok(api.get("/studies/study/best"))["items"]
    assert [trial["status"] for trial in best] == ["completed", "pruned"]


@pytest.mark.parametrize(
    ("pruning", "field", "part"),
    [
        ({"policy": "no-such"}, "pruning.policy", "asha, hyperband, median, patient, threshold"),
        ({"policy": "asha", "settings": {"reduction": 1}}, "pruning.settings.reduction", "2"),
        ({"policy": "asha", "every": 3}, "pruning.every", "leave it out"),
        ({"policy": "hyperband"}, "pruning.settings.epochs", "required"),
        ({"policy": "threshold"}, "pruning.settings", "lower"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_with_its_field(
    api: Api, pruning: dict[str, Any], field: str, part: str
) -> None:
    problem = refused(api.post("/studies", spec("study", pruning=pruning)), 422, "invalid-input")
    assert problem["field"] == field
    assert part in problem["detail"]


def test_the_rules_are_listed_with_their_settings(api: Api) -> None:
    rules = {rule["name"]: rule for rule in ok(api.get("/algorithms"))["pruning"]}
    assert set(rules) == {"asha", "hyperband", "median", "patient", "threshold"}
    assert rules["asha"]["settings"]["properties"]["first"]["default"] == 3


def assert_cut_short(api: Api, claimed: Json, answer: Json, bound: str) -> None:
    assert (answer["action"], answer["reason"]) == ("stop", f"The study has ended by its {bound}.")
    trial = api.trial(claimed["number"])
    assert (trial["status"], trial["value"]) == ("pruned", 0.3)


def test_what_runs_is_told_to_stop_when_the_epochs_are_used_up(api: Api) -> None:
    api.submit(budget={"epochs": 5})
    first, second = api.claim(2)
    assert report(api, first, [0.1, 0.2])["action"] == "continue"
    assert_cut_short(api, second, report(api, second, [0.1, 0.2, 0.3]), "epochs")
    assert_cut_short(api, first, report(api, first, [0.3], 3), "epochs")
    assert api.show()["ended_by"] == "epochs"


def test_what_runs_is_told_to_stop_when_the_time_is_up_and_is_cancelled_without_a_value(api: Api) -> None:
    api.submit(budget={"seconds": 60}, lease_seconds=90)
    first, silent, late = api.claim(3)
    report(api, first, [0.1, 0.2, 0.3])
    api.clock.move(60)
    assert_cut_short(api, first, report(api, first, []), "seconds")
    assert report(api, silent, [])["action"] == "stop"
    assert api.trial(silent["number"])["status"] == "cancelled"
    assert ok(api.complete(late, 0.9))["trial"]["status"] == "completed"
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "seconds")


def test_what_runs_is_told_to_stop_when_the_target_is_met(api: Api) -> None:
    api.submit(budget={"target": 0.9})
    first, second = api.claim(2)
    report(api, first, [0.1, 0.2])
    ok(api.complete(second, 0.95))
    assert_cut_short(api, first, report(api, first, [0.3], 3), "target")
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "target")


@pytest.mark.parametrize("given", [{"budget": {"epochs": 2}}, {"pruning": ASHA}])
def test_a_run_of_its_whole_length_is_left_to_tell_its_value(api: Api, given: dict[str, Any]) -> None:
    api.submit(objective={"name": "bowl", "settings": {"epochs": 3}}, **given)
    first, second = api.claim(2)
    report(api, first, [0.1, 0.8, 0.9])
    assert report(api, second, [0.1, 0.2, 0.3])["action"] == "continue"
    assert ok(api.complete(second, 0.3))["trial"]["status"] == "completed"


def test_with_the_word_to_stop_come_the_next_trials_and_again_when_the_answer_was_lost(api: Api) -> None:
    api.submit(pruning=ASHA)
    good, bad = api.claim(2)
    report(api, good, [0.1, 0.8])
    said = {"epochs": epochs([0.1, 0.3]), "claim_next": 1}
    answers = [ok(api.tell(bad, "report", **said)) for _ in range(2)]
    assert [answer["action"] for answer in answers] == ["stop", "stop"]
    first, second = (answer["claimed"]["trials"] for answer in answers)
    assert [trial["number"] for trial in first] == [2]
    assert first == second
    assert api.counts() == {"running": 2, "pruned": 1}


def test_nothing_is_claimed_by_a_report_that_goes_on(api: Api) -> None:
    api.submit()
    claimed = api.claim_one()
    answer = ok(api.tell(claimed, "report", epochs=epochs([0.1]), claim_next=1))
    assert (answer["action"], answer["claimed"]) == ("continue", {"trials": []})
    assert api.counts() == {"running": 1}


def test_the_word_to_stop_a_cancelled_trial_is_repeated_with_what_comes_next(api: Api) -> None:
    api.submit()
    claimed = api.claim_one()
    ok(api.post(f"/studies/study/trials/{claimed['number']}/cancel"))
    answers = [ok(api.tell(claimed, "report", epochs=epochs([0.1]), claim_next=1)) for _ in range(2)]
    assert [answer["action"] for answer in answers] == ["stop", "stop"]
    assert answers[0]["claimed"] == answers[1]["claimed"]
    assert len(answers[0]["claimed"]["trials"]) == 1


def test_a_report_of_an_absurd_epoch_is_looked_at_once(api: Api) -> None:
    api.submit(pruning={"policy": "median", "settings": {"startup": 1}})
    claimed = api.claim_one()
    assert ok(api.tell(claimed, "report", epochs=[{"epoch": 2**53, "score": 0.5}]))["action"] == "continue"


@pytest.mark.parametrize("batch", [1, 5])
def test_a_metric_that_is_not_in_every_epoch_is_looked_at_however_the_reports_come(api: Api, batch: int) -> None:
    api.submit(pruning=ASHA)
    good, bad = api.claim(2)
    for claimed, value in ((good, 0.9), (bad, 0.1)):
        curve = [{"epoch": n, "train_loss": 1.0} | ({"score": value} if n % 5 == 0 else {}) for n in range(1, 6)]
        actions = [
            ok(api.tell(claimed, "report", epochs=curve[start : start + batch]))["action"]
            for start in range(0, 5, batch)
        ]
        assert actions[-1] == ("stop" if claimed is bad else "continue")


def test_another_rule_compares_no_numbers_of_the_one_before(api: Api) -> None:
    api.submit(pruning=ASHA, budget={"trials": 9})
    runs = api.claim(5)
    for claimed in runs[:4]:
        report(api, claimed, [0.9, 0.3])
    ok(api.patch("/studies/study", {"pruning": {"policy": "median", "settings": {"startup": 1, "warmup": 1}}}))
    assert report(api, runs[4], [0.1, 0.2])["action"] == "continue"
