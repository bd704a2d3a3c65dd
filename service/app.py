"""Wires the parts of the server together; the only place that knows them all."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from sqlalchemy import make_url

from service.api import (
    catalogue,
    confirmation,
    figures,
    health,
    importance,
    problems,
    replay,
    rounds,
    studies,
    trials,
    weights,
    work,
)
from service.api.body_limit import BodyLimit
from service.background import Repeated, Sweeper
from service.notifier import Notifier
from service.settings import Settings
from service.storage import migrations
from service.storage.membership import Alone, Membership
from service.storage.postgresql import PostgresqlDatabase
from service.storage.postgresql_membership import PostgresqlMembership
from service.storage.sole_use import sole_use
from service.storage.sqlite import SqliteDatabase
from service.storage.store import Clock, Database, Entropy, Listener, Signal, system_clock
from service.suggesting import SearchProcess, Suggester

SUGGESTER_PAUSE_SECONDS = 1.0
SHORTEST_ABSENCE_SECONDS = 1.0


def create_app(settings: Settings, *, clock: Clock | None = None, entropy: Entropy = os.urandom) -> FastAPI:
    """The server as one application, which opens its database when it starts and closes it when it ends.

    Without a clock it goes by the one that all servers of its database have in common.
    """

    notifier = Notifier()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tasks: dict[str, Repeated] = {}

        def heard(signals: frozenset[Signal]) -> None:
            if Signal.WORK in signals:
                notifier.notify()
            if Signal.HISTORY in signals and "suggester" in tasks:
                tasks["suggester"].wake()

        def committed(signals: frozenset[Signal]) -> None:
            heard(signals)
            membership.tell(signals)

        def elected() -> None:
            for task in tasks.values():
                task.wake()

        with ExitStack() as stack:
            stack.enter_context(sole_use(settings.database_url))
            membership = membership_of(settings.database_url, heard, elected)
            time = clock or membership.now
            database = open_database(settings.database_url, time, entropy, committed)
            stack.callback(database.close)
            # Two, so that no suggestion waits behind a question that somebody asks.
            process, questions = stack.enter_context(SearchProcess()), stack.enter_context(SearchProcess())
            suggester = Suggester(database, process, lambda: membership.leads)
            away_seconds = SHORTEST_ABSENCE_SECONDS + 2 * settings.sweep_seconds
            sweeper = Sweeper(database, time, lambda: membership.leads, away_seconds)
            tasks["sweeper"] = Repeated("sweeper", sweeper.sweep, settings.sweep_seconds)
            tasks["suggester"] = Repeated("suggester", suggester.suggest_for_all, SUGGESTER_PAUSE_SECONDS)
            for task in tasks.values():
                stack.enter_context(task)
            # Left first of all, so that another server leads while this one ends.
            stack.callback(membership.leave)
            membership.join(sweeper.begin)
            app.state.database, app.state.schema = database, migrations.head()
            app.state.search_process, app.state.membership = questions, membership
            yield

    app = FastAPI(
        title="Shibori",
        version=version("shibori"),
        description="A hyperparameter search service: submit a search, let workers train, ask for the best.",
        lifespan=lifespan,
    )
    app.state.notifier, app.state.pause_worker_after = notifier, settings.pause_worker_after
    app.add_middleware(BodyLimit, largest=settings.largest_body_bytes, largest_weights=settings.largest_weights_bytes)
    problems.install(app)
    api = APIRouter(prefix="/api/v1")
    for part in (studies, trials, replay, rounds, importance, confirmation, figures, work, weights, catalogue):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(health.router)
    return app


def open_database(url: str, clock: Clock, entropy: Entropy, on_commit: Listener) -> Database:
    """Open a database, brought to this version's schema."""
    migrations.prepare(url)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteDatabase(parsed, clock=clock, entropy=entropy, on_commit=on_commit)
    return PostgresqlDatabase(parsed, clock=clock, entropy=entropy, on_commit=on_commit)


def membership_of(url: str, hear: Listener, elected: Callable[[], None]) -> Membership:
    """A server's place among those that may share its database."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Alone()
    return PostgresqlMembership(parsed, system_clock, hear, elected)
