"""The check after a soak finds whatever is missing, twice there, or stuck."""

import pytest
import sqlalchemy as sa

from service.storage.store import Store
from service.storage.tables import attempts, curves, studies, trials, workers
from tests.integration.harness import Api, Json, ok
from tests.proof import picture
from tests.proof.picture import Picture
from tests.soak.check import Findings, compare

Mishap = sa.Update | sa.Delete
NONE = sa.update(trials).where(sa.false()).values(value=0.0)


@pytest.fixture(scope="module")
def record(shared_api: Api) -> list[Json]:
    """Three trials that are completed, and the record of it, with answers that were lost."""
    shared_api.submit(space={"x": {"type": "float", "low": 0.0, "high": 1.0}}, budget={"trials": 3})
    return [_completed(shared_api, claimed) for claimed in shared_api.claim(3)]


def _completed(api: Api, claimed: Json) -> Json:
    x = claimed["params"]["x"]
    epochs = [{"epoch": 1, "value": x}, {"epoch": 2, "value": x}]
    said = {"lease": claimed["lease"]["token"], "value": x, "epochs": epochs}
    ok(api.post(f"/trials/{claimed['id']}/complete", said))
    return {"fate": "dropped", "status": 200, "trial": claimed["id"], "what": "complete", "said": said}


def after(mishap: Mishap, api: Api, record: list[Json]) -> Findings:
    """What is found where something has happened to the database, which is undone."""

    def look(store: Store) -> Picture:
        with store.tentative():
            store._connection.execute(mishap)
            return picture.take(store._connection)

    return compare(record, api.app.state.database.write(look))


def test_a_database_that_kept_every_promise_is_in_order(shared_api: Api, record: list[Json]) -> None:
    found = after(NONE, shared_api, record)
    assert (found.lost, found.wrong) == ([], [])
    assert found.acknowledged["complete"] == found.statuses["completed"] == 3


@pytest.mark.parametrize(
    "mishap",
    [
        sa.update(trials).where(trials.c.number == 1).values(value=7.0),
        sa.update(trials).where(trials.c.number == 1).values(status="failed", failure_reason="lost", value=None),
        sa.update(attempts).where(attempts.c.lease == 1).values(end="lost"),
        sa.delete(trials).where(trials.c.number == 2),
        sa.delete(curves),
    ],
    ids=["another value", "failed since", "another end", "gone", "no curve"],
)
def test_a_lost_result_is_found(shared_api: Api, record: list[Json], mishap: Mishap) -> None:
    assert after(mishap, shared_api, record).lost


@pytest.mark.parametrize(("epochs", "is_lost"), [([1], False), ([1, 2, 3], False), ([3], True), ([], False)])
def test_of_a_report_that_was_told_to_stop_the_first_epoch_is_there(
    shared_api: Api, record: list[Json], epochs: list[int], is_lost: bool
) -> None:
    made = record[0]
    brought = [{"epoch": epoch, "value": made["said"]["value"]} for epoch in epochs]
    said = {"lease": made["said"]["lease"], "epochs": brought}
    stopped = made | {"what": "report", "action": "stop", "said": said}
    assert bool(after(NONE, shared_api, [*record, stopped]).lost) is is_lost


@pytest.mark.parametrize(
    "mishap",
    [
        sa.update(workers).values(completed=4),
        sa.update(studies).values(budgeted=4),
        sa.update(studies).values(last_event=9),
        sa.update(studies).values(next_number=4),
        sa.update(studies).values(status="running", finished_at=None),
        sa.update(trials).where(trials.c.number == 1).values(status="waiting", value=None, finished_event=None),
    ],
    ids=["counted twice", "too many", "an event too few", "a number too few", "never ended", "stuck"],
)
def test_what_cannot_be_is_found(shared_api: Api, record: list[Json], mishap: Mishap) -> None:
    assert after(mishap, shared_api, record).wrong
