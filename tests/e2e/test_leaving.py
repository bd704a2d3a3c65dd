"""Workers that are asked to end, whatever they are at: what they hold is given back at once, or told once."""

import signal
from pathlib import Path

import pytest
from e2e_front import front_of
from e2e_processes import Crew, Server, eventually, running

from worker.exits import INTERRUPTED

QUIET_SECONDS = 1.0


def test_a_worker_that_is_asked_to_end_gives_its_trial_back(server: Server, crew: Crew, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    study = server.submit("given-back", 1, settings={"gate": str(gate)}, lease_seconds=600)
    worker = crew.start(study=study)
    server.when_trial(study.id, 0, running)
    worker.send(signal.SIGTERM)
    assert worker.ended() == 0, worker.log.read_text()
    trial = server.client.trial(study.id, 0)
    assert (trial.status, [attempt.end for attempt in trial.attempts]) == ("waiting", ["released"])
    gate.touch()
    crew.start(study=study)
    server.when(study.id, "completed")
    assert server.client.trial(study.id, 0).attempt == 1


def test_a_long_epoch_does_not_hold_up_the_end_and_ends_its_trial_once(server: Server, tmp_path: Path) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    settings = {"gate": str(gate), "done": str(done), "silent": True}
    study = server.submit("ended-once", 1, settings=settings, lease_seconds=600)
    with front_of(server.url) as front, Crew(front.url, tmp_path) as crew:
        worker = crew.start(study=study)
        server.when_trial(study.id, 0, running)
        eventually(lambda: len(server.client.curve(study.id, 0).epochs) == 2, "the long epoch")
        worker.send(signal.SIGINT)
        eventually(lambda: front.ends, "the trial given back")
        gate.touch()
        eventually(lambda: done.exists() or worker.process.poll() is not None, "the end of the epoch")
        assert not front.second.wait(QUIET_SECONDS), front.ends
        front.open.set()
        assert worker.ended() == 0, worker.log.read_text()
    assert front.ends == ["release"]
    trial = server.client.trial(study.id, 0)
    assert (trial.status, [attempt.end for attempt in trial.attempts]) == ("waiting", ["released"])


@pytest.mark.slow
@pytest.mark.parametrize("signals", [1, 2])
def test_a_result_on_its_way_is_not_overtaken_by_the_end_of_its_worker(
    server: Server, tmp_path: Path, signals: int
) -> None:
    study = server.submit(f"on-its-way-{signals}", 1, lease_seconds=600, retry={"max_attempts": 1})
    with front_of(server.url) as front, Crew(front.url, tmp_path) as crew:
        worker = crew.start(study=study)
        eventually(lambda: front.ends, "the result on its way")
        for number in (signal.SIGTERM, signal.SIGINT)[:signals]:
            worker.send(number)
        assert worker.ended() == (0 if signals == 1 else INTERRUPTED), worker.log.read_text()
        assert front.ends == ["complete"]
        front.open.set()
        server.when(study.id, "completed")
    trial = server.client.trial(study.id, 0)
    assert (trial.value, [attempt.end for attempt in trial.attempts]) == (trial.params["x"], ["completed"])


def test_an_idle_worker_that_is_asked_to_end_takes_no_trial_with_it(own_server: Server, own_crew: Crew) -> None:
    leaving = own_crew.start()
    eventually(lambda: own_server.client.workers().items, "a worker that waits")
    leaving.send(signal.SIGTERM)
    assert leaving.ended() == 0, leaving.log.read_text()
    study = own_server.submit("after-the-idle", 3, lease_seconds=600)
    own_crew.start()
    own_server.when(study.id, "completed")
    assert all(len(trial.attempts) == 1 for trial in own_server.details(study.id))
