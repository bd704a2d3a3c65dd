"""Every call that changes something takes an Idempotency-Key: asked again under it, it does nothing more."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa

from service.app import create_app
from service.settings import Settings
from service.storage.store import Store
from service.storage.tables import idempotency_keys, metadata
from tests.integration.harness import Api, Json, ok, spec

DOCUMENT = create_app(Settings(database_url="sqlite:///never-opened.db")).openapi()
# What is compared here is all that there is.
pytestmark = pytest.mark.usefixtures("removing_on_demand")
MUTATING = ("post", "put", "patch", "delete")
MUTATIONS = sorted(
    (method, path) for path, methods in DOCUMENT["paths"].items() for method in methods if method in MUTATING
)
Request: TypeAlias = tuple[str, Json]
"""Where it goes, below /api/v1, and what is sent."""
Preparing: TypeAlias = Callable[[Api, str], Request]


def of_study(path: str, body: Any = None) -> Preparing:
    return lambda _, study: (f"/studies/{study}{path}", {} if body is None else {"json": body})


def of_running(what: str, **said: Any) -> Preparing:
    def prepare(api: Api, study: str) -> Request:
        claimed = api.claim_one(study=study)
        return f"/trials/{claimed['id']}/{what}", {"json": {"lease": claimed["lease"]["token"]} | said}

    return prepare


def weights(api: Api, study: str) -> Request:
    claimed = api.claim_one(study=study)
    return f"/trials/{claimed['id']}/weights", {"params": {"lease": claimed["lease"]["token"]}, "content": b"learned"}


def paused(api: Api, study: str) -> None:
    ok(api.post(f"/studies/{study}/pause"))


def failed(api: Api, study: str) -> None:
    ok(api.tell(api.claim_one(study=study), "fail"))


def completed(api: Api, study: str) -> None:
    ok(api.complete(api.claim_one(study=study)))


def running(api: Api, study: str) -> None:
    api.claim_one(study=study)


def once(happened: Callable[[Api, str], None], then: Preparing) -> Preparing:
    def prepare(api: Api, study: str) -> Request:
        happened(api, study)
        return then(api, study)

    return prepare


PREPARED: Mapping[str, Preparing] = {
    "post /studies": lambda _, study: ("/studies", {"json": spec(f"{study}-too")}),
    "post /studies/{study}/pause": of_study("/pause"),
    "post /studies/{study}/resume": once(paused, of_study("/resume")),
    "post /studies/{study}/stop": of_study("/stop"),
    "post /studies/{study}/clone": of_study("/clone", {"name": "cloned"}),
    "patch /studies/{study}": of_study("", {"budget": {"trials": 9}}),
    "delete /studies/{study}": once(paused, of_study("")),
    "post /studies/{study}/trials": of_study("/trials", {"trials": [{"params": {"lr": 0.1}}]}),
    "post /studies/{study}/forget-curves": of_study("/forget-curves", {"older_than_days": 0}),
    "post /studies/{study}/trials/{number}/cancel": once(running, of_study("/trials/0/cancel")),
    "post /studies/{study}/trials/{number}/retry": once(failed, of_study("/trials/0/retry")),
    "post /studies/{study}/rounds": of_study("/rounds", {"ranges": {"lr": {"low": 0.001, "high": 0.1}}}),
    "post /studies/{study}/confirmation": once(completed, of_study("/confirmation", {"n": 1, "seeds": 2})),
    "post /studies/{study}/final-test": once(completed, of_study("/final-test", {"trial": 0})),
    "post /claims": lambda _, study: (
        "/claims",
        {"json": {"worker": "ann", "objectives": ["bowl"], "study": study}},
    ),
    "post /trials/{trial_id}/report": of_running("report", epochs=[{"epoch": 1, "score": 0.1}]),
    "post /trials/{trial_id}/complete": of_running("complete", value=0.5, claim_next=1),
    "post /trials/{trial_id}/fail": of_running("fail", message="no", retryable=True),
    "post /trials/{trial_id}/release": of_running("release"),
    "put /trials/{trial_id}/weights": weights,
    "post /workers/{name}/release": once(running, lambda _, study: ("/workers/ann/release", {})),
}


def rows(api: Api) -> dict[str, list[tuple[Any, ...]]]:
    """All that is in the database but the keys."""

    def read(store: Store) -> dict[str, list[tuple[Any, ...]]]:
        tables = [table for table in metadata.sorted_tables if table is not idempotency_keys]
        return {table.name: [tuple(row) for row in store._connection.execute(sa.select(table))] for table in tables}

    found: dict[str, list[tuple[Any, ...]]] = api.app.state.database.read(read)
    return {table: sorted(lines, key=repr) for table, lines in found.items()}


@pytest.mark.parametrize(("method", "path"), MUTATIONS)
def test_it_takes_a_key(method: str, path: str) -> None:
    headers = [one["name"] for one in DOCUMENT["paths"][path][method]["parameters"] if one["in"] == "header"]
    assert headers == ["Idempotency-Key"]


@pytest.mark.parametrize(("method", "path"), MUTATIONS)
def test_under_one_key_it_is_done_once_and_answers_the_same(shared_api: Api, method: str, path: str) -> None:
    call = f"{method} {path.removeprefix('/api/v1')}"
    study = f"study-{MUTATIONS.index((method, path))}"
    shared_api.submit(study, keep_weights="best", budget={"trials": 6})
    where, sent = PREPARED[call](shared_api, study)
    sent = sent | {"headers": {"Idempotency-Key": call}}
    first = shared_api.client.request(method, f"/api/v1{where}", **sent)
    assert first.status_code < 300, first.text
    after = rows(shared_api)
    again = shared_api.client.request(method, f"/api/v1{where}", **sent)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert rows(shared_api) == after
