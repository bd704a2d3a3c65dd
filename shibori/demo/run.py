"""Starts what the demonstration needs, tells its story and stops everything again."""

import shlex
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from client import Client, Retry
from service.protocol import FinalTest, GivenTrial
from shibori.demo.processes import ProcessEnded, Started, running
from shibori.demo.search import study_of
from shibori.demo.story import Story

READY_SECONDS = 60.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    folder: Path
    port: int
    processes: int
    trials: int
    more: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder / 'shibori.db'}"


def run(plan: Plan) -> None:
    plan.folder.mkdir(parents=True, exist_ok=True)
    name = f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    with ExitStack() as stack:
        server = stack.enter_context(running("server", _serve(plan), plan.folder / "server.log"))
        client = stack.enter_context(Client(plan.url, retry=Retry()))
        _wait_until_ready(client, server)
        click.echo(f"The API answers at {plan.url}/docs while this runs; the study is {name}.")
        tested = _tell(plan, client, server, name)
        classic = _tell_the_classic(plan, client, server, name)
    click.echo(f"\n{_beside(tested, classic)}")
    _say_how_to_go_on(plan, name)


def _tell(plan: Plan, client: Client, server: Started, study: str) -> FinalTest:
    """Random trials, a verdict on each range, a Bayesian round, a confirmation, and one look at the test set."""
    client.submit_study(study_of(study, plan.trials))
    with running("worker", _work(plan, study), plan.folder / "worker.log") as worker:
        story = Story(client, study, _sleep_beside(server, worker))
        click.echo(f"{plan.trials} random trials with {plan.processes} worker processes:")
        story.first_round(plan.trials)
        story.save_figure(plan.folder / "learning-curves.png")
        story.second_round(plan.trials, plan.more)
        story.save_figure(plan.folder / "learning-curves-after.png")
        story.confirm()
        click.echo("\nThe best of these, trained on training and validation images, and the test images seen once:")
        return story.test()


def _tell_the_classic(plan: Plan, client: Client, server: Started, study: str) -> FinalTest:
    """The same first trials, the box of their best five, more random trials there, and the best value of all."""
    classic = f"{study}-classic"
    click.echo("\nBeside it the classic procedure: the same random trials, then more in the box of their best five.")
    client.submit_study(study_of(classic, plan.more))
    first = [one for one in client.trials(study, status="completed") if one.number < plan.trials]
    client.import_all(classic, [GivenTrial(params=one.params, value=one.value, samples=one.samples) for one in first])
    Story(client, classic, time.sleep).narrow()
    with running("worker", _work(plan, classic), plan.folder / "worker.log") as worker:
        story = Story(client, classic, _sleep_beside(server, worker))
        story.finish(plan.more)
        click.echo("The best value of all, and its test:")
        return story.test(story.best().number)


def _beside(tested: FinalTest, classic: FinalTest) -> str:
    return (
        f"On the test images this search reached {tested.accuracy:.4g}, the classic procedure {classic.accuracy:.4g}."
    )


def _serve(plan: Plan) -> list[str]:
    listening = ["--host", "127.0.0.1", "--port", str(plan.port)]
    return ["serve", *listening, "--database", plan.database, "--log-format", "text"]


def _work(plan: Plan, study: str) -> list[str]:
    return ["worker", "--server", plan.url, "--processes", str(plan.processes), "--study", study]


def _wait_until_ready(client: Client, server: Started) -> None:
    hasty = client.with_retry(Retry(total_seconds=0.0))
    end_at = time.monotonic() + READY_SECONDS
    while not hasty.ready():
        server.check()
        if time.monotonic() > end_at:
            raise ProcessEnded(f"The server did not get ready in {READY_SECONDS:.0f} s; see {server.log}")
        time.sleep(LOOK_SECONDS)


def _sleep_beside(*processes: Started) -> Callable[[float], None]:
    """Sleeps, and notices that there is nobody left to wait for."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        for process in processes:
            process.check()

    return sleep


def _say_how_to_go_on(plan: Plan, study: str) -> None:
    click.echo("\nServer and workers are stopped; everything is in the database. To look at it:")
    click.echo(f"  {_shibori()} serve --database {shlex.quote(plan.database)}")
    click.echo("and beside it:")
    click.echo(f"  {_shibori()} best {study} -n 5")
    click.echo(f"  {_shibori()} worker --study {study}     # and then raise the budget for more trials:")
    click.echo(f"  curl -X PATCH http://127.0.0.1:8000/api/v1/studies/{study} -H 'Content-Type: application/json' \\")
    click.echo(f'    -d \'{{"budget": {{"trials": {plan.trials + 2 * plan.more}}}}}\'')


def _shibori() -> str:
    """The command as it was called here."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m shibori"
    return shlex.quote(str(called.relative_to(Path.cwd()) if called.is_relative_to(Path.cwd()) else called))
