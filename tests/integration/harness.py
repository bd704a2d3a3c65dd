"""The service as tests use it: in this process, with a clock that they move and a random source that repeats."""

import random
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any

import sqlalchemy as sa

from service import suggesting
from service.app import create_app
from service.operations.history import Histories
from service.operations.remove import remove_portion
from service.operations.suggest import Pace, Request, plan_suggestions, record_suggestions
from service.search.base import Answer
from service.settings import Settings
from service.storage.postgresql_engine import own_session
from service.storage.postgresql_membership import LEADING
from service.storage.store import Store
from service.sweeping import Sweeper
from tests.integration.calling import Caller
from tests.integration.documented import require_documented

Json = dict[str, Any]
LOG_RANGE = {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"}
NEVER = 1e8
PATIENCE_SECONDS = 120.0


class MovableClock:
    def __init__(self) -> None:
        self.begin_again()

    def begin_again(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class SeededEntropy:
    """Bytes that come again in the same order, whichever threads ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.begin_again()

    def begin_again(self) -> None:
        self._source = random.Random(0)

    def __call__(self, size: int) -> bytes:
        with self._lock:
            return self._source.randbytes(size)


def spec(name: str = "study", **changes: Any) -> Json:
    """A study of an external objective, with changes."""
    base: Json = {
        "name": name,
        "objective": {"name": "bowl"},
        "metric": {"name": "score"},
        "space": {"lr": LOG_RANGE},
        "search": {"algorithm": "random", "seed": 7},
        "budget": {"trials": 4},
    }
    return base | changes


class Api:
    """A running server and the calls that most tests make."""

    def __init__(self, url: str) -> None:
        self.url, self.clock, self._entropy = url, MovableClock(), SeededEntropy()
        self.histories = Histories()
        self.client = self._start()

    def _start(self) -> Caller:
        settings = Settings(database_url=self.url, sweep_seconds=NEVER, largest_body_bytes=2 * 1024 * 1024)
        self.app = create_app(settings, clock=self.clock, entropy=self._entropy)
        return self._open()

    def _open(self) -> Caller:
        return Caller(self.app)

    def stop(self) -> None:
        self.client.close()

    def restart(self) -> None:
        self.stop()
        self._wait_until_nobody_leads()
        self.client = self._start()

    def _wait_until_nobody_leads(self) -> None:
        """The server that starts next leads from its beginning, however long the last one takes to go."""
        if not self.url.startswith("sqlite"):
            with own_session(sa.make_url(self.url)) as session:
                session.execute("SELECT pg_advisory_lock(%s)", [LEADING])
                session.execute("SELECT pg_advisory_unlock(%s)", [LEADING])

    def reopen(self) -> None:
        """End the server and start it on the same database, without putting the application together anew."""
        self.stop()
        self.client = self._open()

    def begin_again(self) -> None:
        """Let time and chance be what they were at first."""
        self.clock.begin_again()
        self.app.state.attendance.begin(self.clock())
        self._entropy.begin_again()
        self.histories = Histories()

    def sweep(self) -> None:
        """What the server does by itself once a second."""
        Sweeper(self.app.state.database, self.clock, lambda: True, self.app.state.attendance).tidy()

    def remove(self) -> None:
        """What the server does with deleted studies, until nothing of them is left."""
        while self.app.state.database.write(remove_portion):
            pass

    def suggest(self, in_between: Callable[[], None] = lambda: None, study: str = "study") -> None:
        """What the server does beside claims, until nothing is missing; something may happen while it computes."""
        database, study = self.app.state.database, self.show(study)["id"]
        pace = Pace()
        while request := database.read(lambda store: plan_suggestions(store, study, self.histories, pace)):
            algorithm = request.study.spec.search.algorithm
            answer = suggesting.suggest(algorithm, request.question, request.settings, request.count)
            in_between()
            database.write(partial(_record, request, answer, pace))

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(f"/api/v1{path}", **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        return self.client.post(f"/api/v1{path}", json=json, **more)

    def patch(self, path: str, json: Any, **more: Any) -> Any:
        return self.client.patch(f"/api/v1{path}", json=json, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.client.delete(f"/api/v1{path}", **more)

    def submit(self, name: str = "study", **changes: Any) -> Json:
        return ok(self.post("/studies", spec(name, **changes)), 201)

    def show(self, study: str = "study") -> Json:
        return ok(self.get(f"/studies/{study}"))

    def counts(self, study: str = "study") -> dict[str, int]:
        """The counts that are not zero."""
        return {status: count for status, count in self.show(study)["counts"].items() if count}

    def trial(self, number: int, study: str = "study") -> Json:
        return ok(self.get(f"/studies/{study}/trials/{number}"))

    def trials(self, study: str = "study", **query: Any) -> list[Json]:
        items: list[Json] = ok(self.get(f"/studies/{study}/trials", params=query))["items"]
        return items

    def claim(self, count: int = 1, worker: str = "ann", **more: Any) -> list[Json]:
        asked = {"worker": worker, "objectives": ["bowl"], "count": count} | more
        claimed: list[Json] = ok(self.post("/claims", asked))["trials"]
        return claimed

    def claim_one(self, **more: Any) -> Json:
        (claimed,) = self.claim(1, **more)
        return claimed

    def complete(self, claimed: Json, value: float = 0.5, **more: Any) -> Any:
        return self.tell(claimed, "complete", value=value, **more)

    def tell(self, claimed: Json, what: str, **more: Any) -> Any:
        return self.post(f"/trials/{claimed['id']}/{what}", {"lease": claimed["lease"]["token"]} | more)

    def run(self, values: list[float], **more: Any) -> list[Json]:
        """Claim and complete trials one after the other, with these values; the trials as recorded."""
        return [ok(self.complete(self.claim_one(), value, **more))["trial"] for value in values]


def _record(request: Request, answer: Answer, pace: Pace, store: Store) -> None:
    record_suggestions(store, request, answer, pace)


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def refused(response: Any, status: int, slug: str) -> Json:
    """The problem document of a refusal, which is one in every respect."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: Json = response.json()
    assert document["type"] == f"/problems/{slug}", document
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    require_documented(response, slug)
    return document


def without(mapping: Mapping[str, Any], *names: str) -> Json:
    return {name: value for name, value in mapping.items() if name not in names}


def until(condition: Callable[[], object]) -> None:
    """Look again and again; fails where it does not come about."""
    end_at, never = monotonic() + PATIENCE_SECONDS, threading.Event()
    while not condition():
        assert monotonic() < end_at, "it did not come about"
        never.wait(0.01)
