"""Wires the parts of the server together; the only place that knows them all."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from sqlalchemy import make_url

from service.api import (
    catalogue,
    confirmation,
    figures,
    health,
    importance,
    measures,
    problems,
    replay,
    rounds,
    studies,
    trials,
    weights,
    work,
)
from service.api.body_limit import BodyLimit
from service.api.observed import API, Observed
from service.background import Repeated, sweep
from service.metrics import Metrics
from service.notifier import Notifier
from service.operations.expire import refresh_leases
from service.operations.openings import find_openings
from service.settings import Settings
from service.storage import migrations
from service.storage.keys import StoredAnswer
from service.storage.postgresql import OnRetry, PostgresqlDatabase
from service.storage.sole_use import sole_use
from service.storage.sqlite import SqliteDatabase
from service.storage.store import Clock, Database, Entropy, Listener, Signal, system_clock
from service.storage.watched import Watched
from service.suggesting import SearchProcess, Suggester

SUGGESTER_PAUSE_SECONDS = 1.0


def create_app(settings: Settings, *, clock: Clock = system_clock, entropy: Entropy = os.urandom) -> FastAPI:
    """The server as one application, which opens its database when it starts and closes it when it ends."""

    metrics = Metrics()
    notifier = Notifier[StoredAnswer](
        lambda objectives: app.state.database.read(partial(find_openings, objectives=objectives)), metrics.claims_wait
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        wake_suggester: list[Callable[[], None]] = []

        watched = Watched(metrics)

        def committed(signals: frozenset[Signal]) -> None:
            if Signal.WORK in signals:
                notifier.notify()
            if Signal.HISTORY in signals:
                for wake in wake_suggester:
                    wake()

        with sole_use(settings.database_url):
            told = watched.telling(committed)
            database = watched.open(open_database(settings.database_url, clock, entropy, told, metrics.retried))
            database.write(refresh_leases)
            # Two, so that no suggestion waits behind a question that somebody asks.
            process, questions = SearchProcess(), SearchProcess()
            suggester = Suggester(database, process, metrics.suggested)
            sweeping = Repeated("sweeper", lambda: sweep(database), settings.sweep_seconds)
            suggesting = Repeated("suggester", suggester.suggest_for_all, SUGGESTER_PAUSE_SECONDS)
            wake_suggester.append(suggesting.wake)
            app.state.database, app.state.schema = database, migrations.head()
            app.state.search_process = questions
            app.state.parts = {"sweeper": [sweeping.trouble], "suggester": [suggesting.trouble, process.trouble]}
            sweeping.start()
            suggesting.start()
            try:
                yield
            finally:
                await notifier.end()
                # Before their threads, which wait for what they compute.
                process.close()
                questions.close()
                sweeping.stop()
                suggesting.stop()
                database.close()

    app = FastAPI(
        title="Shibori",
        version=version("shibori"),
        description="A hyperparameter search service: submit a search, let workers train, ask for the best.",
        lifespan=lifespan,
    )
    app.state.notifier = notifier
    app.state.counted, app.state.happened = metrics.registry, metrics.happened
    app.add_middleware(BodyLimit, largest=settings.largest_body_bytes, largest_weights=settings.largest_weights_bytes)
    app.add_middleware(Observed, count=metrics.answered, logged=settings.log_requests)
    problems.install(app)
    api = APIRouter(prefix=API)
    for part in (work, studies, trials, replay, rounds, importance, confirmation, figures, weights, catalogue):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(health.router)
    app.include_router(measures.router)
    return app


def open_database(url: str, clock: Clock, entropy: Entropy, on_commit: Listener, on_retry: OnRetry) -> Database:
    """Open a database; a SQLite file is brought to this version's schema, any other must have it."""
    migrations.prepare(url)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteDatabase(parsed, clock=clock, entropy=entropy, on_commit=on_commit)
    return PostgresqlDatabase(parsed, clock=clock, entropy=entropy, on_commit=on_commit, on_retry=on_retry)
