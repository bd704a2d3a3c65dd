"""Workers and servers that are killed, stopped and away: no result is lost, and none counts twice."""

import json
import os
import select
import signal
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from e2e_processes import PATIENCE_SECONDS, Crew, Server, alive, eventually, pid_of, running, signal_worker

from client import LeaseLost
from service.protocol import ClaimRequest

TRIALS = 16
STUDIES = 30
STOPPED_SECONDS = 4.5
"""Longer than a server may be silent before it counts as away."""
SHORT = {"epochs": 3, "epoch_seconds": 0.05}


def completed(server: Server, study: str) -> int:
    return server.client.study(study).counts.completed


def assert_each_is_completed_once(server: Server, study: str) -> None:
    trials = server.details(study)
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert {trial.status for trial in trials} == {"completed"}
    for trial in trials:
        assert [attempt.end for attempt in trial.attempts].count("completed") == 1
        assert trial.value == trial.params["x"]
        assert [epoch.epoch for epoch in server.client.curve(study, trial.number).epochs] == [1, 2, 3]
    assert server.client.study(study).counts.completed == TRIALS


def test_a_worker_process_that_is_killed_loses_nothing(server: Server, crew: Crew) -> None:
    study = server.submit("killed-child", TRIALS, settings=SHORT, retry={"max_attempts": 20})
    crew.start(study=study, processes=2)
    for done in (3, 9):
        eventually(lambda done=done: completed(server, study.id) >= done, "some trials")
        at_work = {trial.worker for trial in server.client.trials(study.id, status="running")}
        for worker in sorted(name for name in at_work if name and alive(pid_of(name)))[:1]:
            signal_worker(worker, signal.SIGKILL)
    server.when(study.id, "completed")
    assert_each_is_completed_once(server, study.id)


def test_workers_end_with_the_parent_that_is_killed(server: Server, crew: Crew) -> None:
    study = server.submit("killed-parent", TRIALS, settings=SHORT, retry={"max_attempts": 20})
    worker = crew.start(study=study, processes=2)
    eventually(lambda: completed(server, study.id) >= 4, "some trials")
    names = {trial.worker for trial in server.client.trials(study.id)} - {None}
    worker.send(signal.SIGKILL)
    eventually(lambda: not any(alive(pid_of(name)) for name in names), "the end of the orphans")
    crew.start(study=study, processes=2)
    server.when(study.id, "completed")
    assert_each_is_completed_once(server, study.id)


def test_a_server_that_is_killed_and_started_again_loses_nothing(own_server: Server, own_crew: Crew) -> None:
    study = own_server.submit("killed-server", TRIALS, settings=SHORT, retry={"max_attempts": 20})
    own_crew.start(study=study, processes=2)
    eventually(lambda: completed(own_server, study.id) >= 4, "some trials")
    own_server.kill()
    own_server.start()
    own_server.when(study.id, "completed")
    assert_each_is_completed_once(own_server, study.id)


def test_a_result_found_while_the_server_is_away_is_told_when_it_is_back(
    own_server: Server, own_crew: Crew, tmp_path: Path
) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    settings = {"epochs": 5, "gate": str(gate), "done": str(done), "silent": True}
    study = own_server.submit("away", 1, settings=settings, lease_seconds=5)
    own_crew.start(study=study)
    own_server.when_trial(study.id, 0, running)
    own_server.kill()
    gate.touch()
    eventually(done.exists, "the result")
    own_server.start()
    own_server.when(study.id, "completed")
    trial = own_server.client.trial(study.id, 0)
    assert (trial.status, trial.attempt, len(trial.attempts)) == ("completed", 1, 1)
    assert [epoch.epoch for epoch in own_server.client.curve(study.id, 0).epochs] == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_a_server_that_was_stopped_for_longer_than_a_lease_takes_no_trial_back(own_server: Server) -> None:
    # Of many studies, so that a claim comes before the sweeper has been through all of them.
    studies = [own_server.submit(f"stopped-{number}", 1, lease_seconds=3) for number in range(STUDIES)]
    wanted = ClaimRequest(worker="ann", objectives=["scripted"], count=STUDIES)
    held = own_server.client.claim(wanted).trials
    with closing(HTTPConnection("127.0.0.1", own_server.port, timeout=PATIENCE_SECONDS)) as bob:
        os.kill(own_server.pid, signal.SIGSTOP)
        body = wanted.model_copy(update={"worker": "bob"}).model_dump_json()
        bob.request("POST", "/api/v1/claims", body, {"Content-Type": "application/json"})
        assert select.select([bob.sock], [], [], STOPPED_SECONDS) == ([], [], [])
        os.kill(own_server.pid, signal.SIGCONT)
        assert json.loads(bob.getresponse().read())["trials"] == []
    for trial in held:
        own_server.client.complete(trial.id, trial.lease.token, 0.5)
    assert [own_server.client.study(study.id).counts.completed for study in studies] == [1] * STUDIES


def test_a_long_epoch_keeps_its_lease(server: Server, crew: Crew, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    study = server.submit("long-epoch", 1, settings={"gate": str(gate), "silent": True}, lease_seconds=2)
    crew.start(study=study)
    started_at = server.when_trial(study.id, 0, running).started_at
    assert started_at is not None
    reference = server.submit("passing-time", 36, objective={"name": "scripted", "settings": {"epoch_seconds": 0.05}})
    crew.start(study=reference)
    finished_at = server.when(reference.id, "completed").finished_at
    assert finished_at is not None
    assert (finished_at - started_at).total_seconds() > 1.5 * study.lease_seconds
    gate.touch()
    server.when(study.id, "completed")
    assert len(server.client.trial(study.id, 0).attempts) == 1


def test_a_worker_paused_past_its_lease_cannot_overwrite_its_successor(
    own_server: Server, own_crew: Crew, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    study = own_server.submit("paused", 1, settings={"gate": str(gate), "end": "pid"}, lease_seconds=2)
    own_crew.start()
    first = own_server.when_trial(study.id, 0, running).worker
    signal_worker(first, signal.SIGSTOP)
    own_server.when_trial(study.id, 0, lambda trial: trial.status == "waiting")
    own_crew.start(study=study)
    second = own_server.when_trial(study.id, 0, running).worker
    gate.touch()
    own_server.when(study.id, "completed")
    signal_worker(first, signal.SIGCONT)
    # Whoever was paused has dropped its attempt once it works on something else.
    after = own_server.submit("after-the-pause", 1)
    own_server.when(after.id, "completed")
    assert own_server.client.trial(after.id, 0).worker == first != second
    trial = own_server.client.trial(study.id, 0)
    assert trial.value == pid_of(second)
    assert [attempt.end for attempt in trial.attempts] == ["lost", "completed"]


def test_a_result_of_a_lost_lease_is_refused_by_name(server: Server, crew: Crew, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    study = server.submit("refused", 1, settings={"gate": str(gate)})
    crew.start(study=study)
    trial = server.when_trial(study.id, 0, running)
    with pytest.raises(LeaseLost):
        server.client.complete(trial.id, "00000001-made-up", 0.5)
    gate.touch()
    server.when(study.id, "completed")
