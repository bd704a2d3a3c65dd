"""Studies that real workers finish, and each way in which a trial may end."""

import shlex
import sys
from pathlib import Path

import pytest
from e2e_processes import Crew, Server, running

from trainer import optimizers

PROGRAM = """
import json, os, sys
x = json.load(sys.stdin)["x"]
assert float(os.environ["SHIBORI_PARAM_X"]) == x
assert json.loads(os.environ["SHIBORI_TRIAL"])["params"] == {"x": x}
for epoch in (1, 2, 3):
    print(json.dumps({"epoch": epoch, "value": x * epoch}))
print("now the result:")
print(json.dumps({"value": x, "samples": 10}))
"""


def test_two_workers_complete_exactly_the_budget(server: Server, crew: Crew) -> None:
    study = server.submit("exactly", 40, lease_seconds=600)
    worker = crew.start("--exit-when-idle", "0.5", study=study, processes=2)
    assert worker.ended() == 0, worker.log.read_text()
    trials = server.details(study.id)
    assert server.client.study(study.id).status == "completed"
    assert [trial.number for trial in trials] == list(range(40))
    assert {trial.status for trial in trials} == {"completed"}
    assert all(trial.value == trial.params["x"] for trial in trials)
    assert all(len(trial.attempts) == 1 for trial in trials)
    assert [epoch.epoch for epoch in server.client.curve(study.id, 39).epochs] == [1, 2]


def test_the_net_that_ships_with_the_service_is_trained(server: Server, crew: Crew) -> None:
    settings = {"dataset": "digits", "train_size": 200, "hidden_sizes": [20], "epochs": 3}
    study = server.submit(
        "digits",
        4,
        objective={"name": "multi_layer_net", "settings": settings},
        metric={"name": "validation_accuracy", "goal": "maximize"},
        space={"lr": {"type": "float", "low": 0.01, "high": 0.1, "scale": "log"}},
    )
    crew.start(study=study)
    server.when(study.id, "completed")
    trials = server.details(study.id)
    assert [trial.status for trial in trials] == ["completed"] * 4
    assert [trial.samples for trial in trials] == [40] * 4
    assert len(server.client.curve(study.id, 0).epochs) == 3


def test_an_unpromising_run_is_stopped_long_before_its_end(server: Server, crew: Crew) -> None:
    settings = {"dataset": "digits", "train_size": 200, "hidden_sizes": [20], "epochs": 20_000}
    study = server.submit(
        "unpromising",
        2,
        objective={"name": "multi_layer_net", "settings": settings},
        metric={"name": "validation_accuracy", "goal": "maximize"},
        space={"lr": {"type": "float", "low": 1e-9, "high": 1e-8, "scale": "log"}},
        pruning={"policy": "threshold", "settings": {"lower": 0.9}},
    )
    crew.start(study=study)
    server.when(study.id, "completed")
    for trial in server.details(study.id):
        assert trial.status == "pruned"
        assert "below 0.9" in (trial.stop_reason or "")
        assert trial.attempts[0].end == "pruned"
        assert 1 <= len(server.client.curve(study.id, trial.number).epochs) < 10_000


def test_a_command_is_an_objective(server: Server, crew: Crew, tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_text(PROGRAM)
    study = server.submit("program", 3, objective={"name": "my-program"})
    command = shlex.join([sys.executable, str(program)])
    worker = crew.start("--command", command, "--name", "my-program", study=study)
    server.when(study.id, "completed")
    trials = server.details(study.id)
    assert [(trial.status, trial.samples) for trial in trials] == [("completed", 10)] * 3, worker.log.read_text()
    assert len(server.client.curve(study.id, 2).epochs) == 3


@pytest.mark.parametrize(
    ("end", "reason", "said"),
    [("raise", "error", "ZeroDivisionError: division by zero"), ("diverge", "diverged", "not a finite number")],
)
def test_a_failure_reaches_the_server_with_its_reason(
    server: Server, crew: Crew, end: str, reason: str, said: str
) -> None:
    study = server.submit(f"failing-{end}", 2, settings={"end": end})
    crew.start(study=study)
    server.when(study.id, "completed")
    for trial in server.details(study.id):
        assert trial.status == "failed"
        assert trial.failure is not None
        assert trial.failure.reason == reason
        assert said in trial.failure.message


def test_a_crash_reaches_the_server_and_the_worker_is_started_again(server: Server, crew: Crew) -> None:
    study = server.submit("crashing", 1, settings={"end": "exit"}, retry={"max_attempts": 2}, lease_seconds=600)
    crew.start(study=study)
    server.when(study.id, "completed")
    (trial,) = server.details(study.id)
    assert trial.status == "failed"
    assert trial.failure is not None
    assert trial.failure.reason == "error"
    assert "exit code 7" in trial.failure.message
    assert len(trial.attempts) == 2
    assert len({attempt.worker for attempt in trial.attempts}) == 2


def test_a_stopped_study_frees_its_worker_for_another(own_server: Server, own_crew: Crew, tmp_path: Path) -> None:
    endless = own_server.submit("endless", 5, settings={"gate": str(tmp_path / "never")})
    own_crew.start()
    trial = own_server.when_trial(endless.id, 0, running)
    own_server.client.stop(endless.id)
    own_server.when_trial(endless.id, 0, lambda trial: trial.status == "cancelled")
    other = own_server.submit("other", 1)
    own_server.when(other.id, "completed")
    assert own_server.client.trial(other.id, 0).worker == trial.worker


def test_a_worker_says_what_it_can_do(server: Server, crew: Crew) -> None:
    study = server.submit("announced", 1)
    crew.start(study=study)
    server.when(study.id, "completed")
    name = server.client.trial(study.id, 0).worker
    (worker,) = [worker for worker in server.client.workers().items if worker.name == name]
    assert {"scripted", "multi_layer_net"} <= set(worker.objectives)


def test_an_objective_that_cannot_be_found_is_wrong_use(server: Server, crew: Crew) -> None:
    worker = crew.start("--objective", "e2e_objectives:nothing")
    assert worker.ended() == 2
    assert "e2e_objectives:nothing" in worker.log.read_text()


def test_a_study_that_is_not_there_is_refused(server: Server, crew: Crew) -> None:
    worker = crew.start("--study", "no-such-study")
    assert worker.ended() == 1
    assert "no-such-study" in worker.log.read_text()


@pytest.mark.slow
def test_a_search_over_all_that_the_net_can_be_told_fails_by_nothing_but_divergence(server: Server, crew: Crew) -> None:
    log = {"type": "float", "scale": "log"}
    when_momentum = {"optimizer": ["momentum", "nesterov"]}
    study = server.client.submit_study(
        {
            "name": "everything",
            "objective": {
                "name": "multi_layer_net",
                "settings": {"dataset": "digits", "train_size": 200, "epochs": 5, "replacement": False},
            },
            "space": {
                "optimizer": {"type": "categorical", "choices": sorted(optimizers.known())},
                "lr": log | {"low": 1e-4, "high": 1.0},
                "momentum": {"type": "float", "low": 0.5, "high": 0.95, "when": when_momentum},
                "hidden_width": {"type": "int", "low": 5, "high": 60, "scale": "log"},
                "hidden_layers": {"type": "int", "low": 0, "high": 4},
                "activation": {"type": "categorical", "choices": ["relu", "sigmoid", "tanh"]},
                "batch_size": {"type": "int", "low": 10, "high": 100, "scale": "log"},
                "batch_norm": {"type": "categorical", "choices": [True, False]},
                "dropout": {"type": "float", "low": 0.0, "high": 0.5},
                "weight_decay": log | {"low": 1e-8, "high": 1e-2},
                "schedule": {"type": "categorical", "choices": ["constant", "step", "exponential", "cosine"]},
            },
            "search": {"algorithm": "random", "seed": 1},
            "budget": {"trials": 60},
        }
    )
    crew.start(study=study, processes=2)
    server.when(study.id, "completed")
    ended = list(server.client.trials(study.id))
    assert len(ended) == 60
    assert {trial.failure.reason for trial in ended if trial.failure} <= {"diverged"}
    assert sum(trial.status == "completed" for trial in ended) > 50
    assert {trial.params["optimizer"] for trial in ended} == set(optimizers.known())
    assert all(
        ("momentum" in trial.params) == (trial.params["optimizer"] in ("momentum", "nesterov")) for trial in ended
    )
