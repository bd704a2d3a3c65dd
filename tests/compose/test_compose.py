"""The compose project: built, scaled and used for real; needs a Docker engine, and fails without one."""

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from client import Client, Retry
from service.protocol import StudySpec, StudyView

pytestmark = pytest.mark.compose

ROOT = Path(__file__).parents[2]
TRIALS = 12
WORKERS = 2
UP_SECONDS = 900
READY_SECONDS = 90
STUDY_SECONDS = 120
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Project:
    """One compose project under a name and a port of its own."""

    name: str
    port: int

    def run(self, *arguments: str, seconds: float = 120) -> str:
        ended = subprocess.run(
            [*compose(), "--project-name", self.name, *arguments],
            cwd=ROOT,
            env=os.environ | {"SHIBORI_PORT": str(self.port)},
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert ended.returncode == 0, f"compose {' '.join(arguments)}:\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def containers(self, service: str) -> list[str]:
        return self.run("ps", "-q", service).split()


def compose() -> list[str]:
    """Compose 2 where it is, the older one otherwise."""
    assert shutil.which("docker"), "there is no docker on this machine"
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    assert shutil.which("docker-compose"), "there is neither `docker compose` nor docker-compose on this machine"
    return ["docker-compose"]


def inspect(container: str, template: str) -> str:
    return subprocess.run(
        ["docker", "inspect", "--format", template, container], capture_output=True, text=True, check=True
    ).stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    project = Project(f"shibori-test-{uuid.uuid4().hex[:8]}", free_port())
    try:
        project.run("up", "--build", "--detach", "--scale", f"worker={WORKERS}", seconds=UP_SECONDS)
        yield project
    finally:
        project.run("down", "--volumes", "--remove-orphans", "--rmi", "local")


@pytest.fixture(scope="module")
def client(project: Project) -> Iterator[Client]:
    with Client(f"http://127.0.0.1:{project.port}", retry=Retry(total_seconds=READY_SECONDS)) as client:
        wait_for(client.ready, READY_SECONDS)
        yield client


def wait_for(holds: Callable[[], bool], seconds: float) -> None:
    end_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end_at, f"not so within {seconds} s"
        time.sleep(LOOK_SECONDS)


def small_study(name: str) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": name,
            "objective": {
                "name": "multi_layer_net",
                "settings": {"dataset": "digits", "train_size": 200, "epochs": 5, "hidden_sizes": [30]},
            },
            "space": {"lr": {"type": "float", "low": 1e-3, "high": 1, "scale": "log"}},
            "search": {"algorithm": "random", "seed": 0},
            "budget": {"trials": TRIALS},
        }
    )


def finish(client: Client, name: str) -> StudyView:
    client.submit_study(small_study(name))
    wait_for(lambda: client.study(name).status == "completed", STUDY_SECONDS)
    return client.study(name)


def test_a_study_from_the_host_finishes_with_every_trial_completed_once(client: Client) -> None:
    counts = finish(client, "from-the-host").counts.model_dump()
    assert counts.pop("completed") == TRIALS
    assert set(counts.values()) == {0}
    assert len({trial.number for trial in client.best("from-the-host", TRIALS).items}) == TRIALS


def test_all_workers_are_there(client: Client, project: Project) -> None:
    assert len(project.containers("worker")) == WORKERS
    assert len(client.workers().items) >= WORKERS


def test_the_migrations_ran_once_and_ended_well(project: Project, client: Client) -> None:
    labels = {"project": project.name, "service": "migrate"}
    filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
    (migrate,) = subprocess.run(
        ["docker", "ps", "-aq", *filters], capture_output=True, text=True, check=True
    ).stdout.split()
    assert inspect(migrate, "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}") == "exited 0 0"


def test_the_service_is_healthy_and_nobody_is_root(project: Project, client: Client) -> None:
    (service,) = project.containers("service")
    wait_for(lambda: inspect(service, "{{.State.Health.Status}}") == "healthy", READY_SECONDS)
    for name in ("service", "worker"):
        assert project.run("exec", "-T", name, "id", "-u").strip() != "0"


def test_workers_end_in_peace_when_they_are_stopped(project: Project, client: Client) -> None:
    workers = project.containers("worker")
    project.run("stop", "worker")
    assert {inspect(worker, "{{.State.ExitCode}}") for worker in workers} == {"0"}
    project.run("start", "worker")


def test_the_data_outlive_the_containers(project: Project, client: Client) -> None:
    finish(client, "before-the-restart")
    project.run("down")
    project.run("up", "--detach", "--scale", f"worker={WORKERS}", seconds=UP_SECONDS)
    wait_for(client.ready, READY_SECONDS)
    assert client.study("before-the-restart").counts.completed == TRIALS
    assert finish(client, "after-the-restart").counts.completed == TRIALS
