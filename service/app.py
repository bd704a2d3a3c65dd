"""Wires the parts of the server together; the only place that knows them all."""

import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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
from service.background import Repeated, sweep
from service.notifier import Notifier
from service.operations.expire import refresh_leases
from service.settings import Settings
from service.storage import migrations
from service.storage.postgresql import PostgresqlDatabase
from service.storage.sole_use import sole_use
from service.storage.sqlite import SqliteDatabase
from service.storage.sqlite_library import library, warning
from service.storage.store import Clock, Database, Entropy, Listener, Signal, system_clock
from service.suggesting import SearchProcess, Suggester

log = logging.getLogger("shibori.server")
SUGGESTER_PAUSE_SECONDS = 1.0


def create_app(settings: Settings, *, clock: Clock = system_clock, entropy: Entropy = os.urandom) -> FastAPI:
    """The server as one application, which opens its database when it starts and closes it when it ends."""

    notifier = Notifier()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        wake_suggester: list[Callable[[], None]] = []

        def committed(signals: frozenset[Signal]) -> None:
            if Signal.WORK in signals:
                notifier.notify()
            if Signal.HISTORY in signals:
                for wake in wake_suggester:
                    wake()

        with sole_use(settings.database_url):
            database = open_database(settings.database_url, clock, entropy, committed)
            log.info("Shibori %s on %s, schema %s", app.version, database.description, migrations.head())
            database.write(refresh_leases)
            # Two, so that no suggestion waits behind a question that somebody asks.
            process, questions = SearchProcess(), SearchProcess()
            suggester = Suggester(database, process)
            sweeping = Repeated("sweeper", lambda: sweep(database), settings.sweep_seconds)
            suggesting = Repeated("suggester", suggester.suggest_for_all, SUGGESTER_PAUSE_SECONDS)
            wake_suggester.append(suggesting.wake)
            app.state.database, app.state.schema = database, migrations.head()
            app.state.search_process = questions
            sweeping.start()
            suggesting.start()
            try:
                yield
            finally:
                sweeping.stop()
                suggesting.stop()
                process.close()
                questions.close()
                database.close()

    app = FastAPI(
        title="Shibori",
        version=version("shibori"),
        description="A hyperparameter search service: submit a search, let workers train, ask for the best.",
        lifespan=lifespan,
    )
    app.state.notifier = notifier
    app.add_middleware(BodyLimit, largest=settings.largest_body_bytes, largest_weights=settings.largest_weights_bytes)
    problems.install(app)
    api = APIRouter(prefix="/api/v1")
    for part in (work, studies, trials, replay, rounds, importance, confirmation, figures, weights, catalogue):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(health.router)
    return app


def open_database(url: str, clock: Clock, entropy: Entropy, on_commit: Listener) -> Database:
    """Open a database; a SQLite file is brought to this version's schema, any other must have it."""
    migrations.prepare(url)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if advice := warning(library()):
            log.warning("%s", advice)
        return SqliteDatabase(parsed, clock=clock, entropy=entropy, on_commit=on_commit, resume=refresh_leases)
    return PostgresqlDatabase(parsed, clock=clock, entropy=entropy, on_commit=on_commit, resume=refresh_leases)
