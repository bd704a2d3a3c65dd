"""Wires the parts of the server together; the only place that knows them all."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from sqlalchemy import make_url

from service.api import (
    catalogue,
    confirmation,
    documented,
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
from service.api.arrivals import Arrivals
from service.api.body_limit import BodyLimit
from service.api.observed import Observed
from service.api.work_calls import WorkCalls
from service.background import Remover, Repeated
from service.metrics import Metrics
from service.notifier import Notifier
from service.operations.openings import find_openings
from service.settings import Settings
from service.storage import migrations
from service.storage.attendance import Attendance
from service.storage.keys import StoredAnswer
from service.storage.membership import Alone, Membership
from service.storage.postgresql import PostgresqlDatabase
from service.storage.postgresql_groups import OnRetry
from service.storage.postgresql_membership import PostgresqlMembership
from service.storage.sole_use import sole_use
from service.storage.sqlite import SqliteDatabase
from service.storage.sqlite_library import library, warning
from service.storage.store import Clock, Database, Entropy, Listener, Signal, system_clock
from service.storage.watched import Watched
from service.suggesting import SearchProcess, Suggester
from service.sweeping import Sweeper

log = logging.getLogger("shibori.server")
_PARTS = (
    work,
    studies,
    trials,
    replay,
    rounds,
    importance,
    confirmation,
    figures,
    weights,
    catalogue,
    health,
    measures,
)
# Taken as they are: a router that is included has all that its calls take looked through once more, which takes as long
# as everything else that a server does when it starts.
ROUTES = tuple(route for part in _PARTS for route in part.router.routes)
SUGGESTER_PAUSE_SECONDS = REMOVER_PAUSE_SECONDS = 1.0
SHORTEST_ABSENCE_SECONDS = 1.0


def create_app(settings: Settings, *, clock: Clock | None = None, entropy: Entropy = os.urandom) -> FastAPI:
    """The server as one application, which opens its database when it starts and closes it when it ends.

    Without a clock it goes by the one that all servers of its database have in common.
    """

    metrics = Metrics()
    notifier = Notifier[StoredAnswer](
        lambda objectives: app.state.database.read(partial(find_openings, objectives=objectives)), metrics.claims_wait
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tasks: dict[str, Repeated] = {}
        notifier.open()

        watched = Watched(metrics)

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
            tell = watched.telling(committed)
            attendance = Attendance(SHORTEST_ABSENCE_SECONDS + 2 * settings.sweep_seconds)
            database = watched.open(
                open_database(settings.database_url, time, entropy, tell, metrics.retried, attendance)
            )
            stack.callback(database.close)
            log.info("Shibori %s on %s, schema %s", app.version, database.description, migrations.head())
            # Two, so that no suggestion waits behind a question that somebody asks.
            process, questions = SearchProcess(), SearchProcess()
            suggester = Suggester(
                database, process, lambda: membership.leads, metrics.suggested, lambda: tasks["suggester"].rest()
            )
            sweeper = Sweeper(database, time, lambda: membership.leads, attendance)
            tasks["sweeper"] = Repeated("sweeper", sweeper.sweep, settings.sweep_seconds)
            tasks["suggester"] = Repeated("suggester", suggester.suggest_for_all, SUGGESTER_PAUSE_SECONDS)
            remover = Remover(database, lambda: membership.leads, lambda seconds: tasks["remover"].pause(seconds))
            tasks["remover"] = Repeated("remover", remover.remove, REMOVER_PAUSE_SECONDS)
            for task in tasks.values():
                stack.enter_context(task)
            # Ended before their threads, which wait for what they compute.
            stack.enter_context(process)
            stack.enter_context(questions)
            # Left first of all, so that another server leads while this one ends.
            stack.callback(membership.leave)
            membership.join(sweeper.begin)
            app.state.database, app.state.schema = database, migrations.head()
            app.state.arrivals = Arrivals(asyncio.get_running_loop())
            app.state.attendance = attendance
            app.state.search_process = questions
            app.state.parts = {name: [task.trouble] for name, task in tasks.items()}
            app.state.parts["suggester"].append(process.trouble)
            try:
                yield
            finally:
                await notifier.end()

    app = FastAPI(
        title="Shibori",
        version=version("shibori"),
        description="A hyperparameter search service: submit a search, let workers train, ask for the best.",
        lifespan=lifespan,
        routes=list(ROUTES),
    )
    app.state.notifier, app.state.pause_worker_after = notifier, settings.pause_worker_after
    app.state.counted, app.state.happened = metrics.registry, metrics.happened
    # Within what counts, logs and limits them.
    app.add_middleware(WorkCalls, router=work.router)
    app.add_middleware(BodyLimit, largest=settings.largest_body_bytes, largest_weights=settings.largest_weights_bytes)
    app.add_middleware(Observed, count=metrics.answered, logged=settings.log_requests)
    problems.install(app)
    documented.complete_document(app)
    return app


def open_database(
    url: str,
    clock: Clock,
    entropy: Entropy,
    on_commit: Listener,
    on_retry: OnRetry = lambda _: None,
    attendance: Attendance | None = None,
) -> Database:
    """Open a database, brought to this version's schema."""
    migrations.prepare(url)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if advice := warning(library()):
            log.warning("%s", advice)
        return SqliteDatabase(parsed, clock=clock, entropy=entropy, on_commit=on_commit, attendance=attendance)
    return PostgresqlDatabase(
        parsed, clock=clock, entropy=entropy, on_commit=on_commit, on_retry=on_retry, attendance=attendance
    )


def membership_of(url: str, hear: Listener, elected: Callable[[], None]) -> Membership:
    """A server's place among those that may share its database."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Alone()
    return PostgresqlMembership(parsed, system_clock, hear, elected)
