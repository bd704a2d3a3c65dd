"""A deleted study is gone at once, its name free, and its rows are removed a few at a time while work goes on."""

import pytest
import sqlalchemy as sa

from service.background import Remover
from service.operations.remove import remove_portion
from service.storage.examination import faults_in
from service.storage.store import Store
from service.storage.tables import metadata
from tests.integration.harness import Api, ok, refused

TRIALS, AT_ONCE = 30, 7
OF_ONE_STUDY = ("trials", "attempts", "curves", "events", "rounds", "trial_counts", "studies")
REMOVE = Remover.remove
"""As it is outside of these tests."""
pytestmark = pytest.mark.usefixtures("removing_on_demand")


def deleted(api: Api, name: str = "big") -> str:
    """The id of a study with finished trials, some that wait and one that runs, which was deleted."""
    study = str(api.submit(name, budget={"trials": 2 * TRIALS})["id"])
    for claimed in api.claim(TRIALS - 5, study=name):
        ok(api.tell(claimed, "report", epochs=[{"epoch": 1, "score": 0.1}]))
        ok(api.complete(claimed, 0.5))
    ok(api.post(f"/studies/{name}/trials", {"trials": [{"params": {"lr": 0.01 * n}} for n in range(1, 6)]}), 201)
    api.claim_one(study=name)
    ok(api.post(f"/studies/{name}/pause"))
    ok(api.delete(f"/studies/{name}"), 204)
    return study


def rows(api: Api) -> dict[str, int]:
    def count(store: Store) -> dict[str, int]:
        found = {name: sa.select(sa.func.count()).select_from(metadata.tables[name]) for name in OF_ONE_STUDY}
        return {name: store._connection.scalar(query) or 0 for name, query in found.items()}

    return api.app.state.database.read(count)


def remove_some(api: Api) -> bool:
    return bool(api.app.state.database.write(lambda store: remove_portion(store, AT_ONCE)))


def faults(api: Api) -> list[object]:
    return api.app.state.database.read(lambda store: [*faults_in(store._connection)])


def test_claims_and_completions_go_on_between_portions_of_bounded_size(api: Api) -> None:
    deleted(api)
    api.submit("other", budget={"trials": 100})
    before, portions = rows(api), 0
    while remove_some(api):
        after = rows(api)
        assert before["trials"] - after["trials"] <= AT_ONCE
        assert before["events"] - after["events"] <= AT_ONCE
        assert faults(api) == []
        ok(api.complete(api.claim_one(study="other"), 0.5))
        before, portions = rows(api), portions + 1
    assert portions > TRIALS // AT_ONCE
    assert (before["studies"], before["rounds"], before["trials"]) == (1, 1, portions)
    assert api.counts("other") == {"completed": portions}


def test_a_server_that_starts_again_goes_on_where_the_last_one_was(api: Api) -> None:
    deleted(api)
    assert remove_some(api)
    left = rows(api)["trials"]
    api.reopen()
    refused(api.get("/studies/big"), 404, "study-not-found")
    assert remove_some(api)
    assert rows(api)["trials"] == left - AT_ONCE
    api.remove()
    assert set(rows(api).values()) == {0}


def test_nobody_sees_a_deleted_study_and_its_name_can_be_taken_at_once(api: Api) -> None:
    gone = deleted(api)
    for key in ("big", gone):
        refused(api.get(f"/studies/{key}"), 404, "study-not-found")
        refused(api.get(f"/studies/{key}/trials"), 404, "study-not-found")
        refused(api.post(f"/studies/{key}/stop"), 404, "study-not-found")
        refused(api.delete(f"/studies/{key}"), 404, "study-not-found")
    for query in ("", "?status=stopped", "?name=big", "?tag=any"):
        assert ok(api.get(f"/studies{query}"))["items"] == []
    assert api.claim(1) == []
    api.submit("big", budget={"trials": 2})
    ok(api.complete(api.claim_one(study="big"), 0.7))
    api.remove()
    assert [one["value"] for one in ok(api.get("/studies/big/trials"))["items"]] == [0.7]
    assert faults(api) == []


def test_what_is_deleted_is_in_no_figure_of_the_whole_server(api: Api) -> None:
    deleted(api)
    census = api.app.state.database.read(lambda store: store.census())
    assert (dict(census.studies), sum(census.trials.values()), census.suggestions) == ({}, 0, 0)
    assert all(worker["running"] == 0 for worker in ok(api.get("/workers"))["items"])


def test_who_held_a_trial_of_it_is_told_that_there_is_none_whatever_is_left(api: Api) -> None:
    api.submit("big")
    done, held = api.claim(2, study="big")
    ok(api.complete(done, 0.5))
    ok(api.post("/studies/big/pause"))
    ok(api.delete("/studies/big"), 204)
    for claimed in (done, held):
        refused(api.complete(claimed, 0.5), 404, "trial-not-found")
        refused(api.tell(claimed, "report", epochs=[]), 404, "trial-not-found")
        refused(api.tell(claimed, "release"), 404, "trial-not-found")
    api.clock.move(60)
    api.sweep()
    assert rows(api)["trials"] == 1


def test_two_studies_of_one_name_may_be_deleted_one_after_the_other(api: Api) -> None:
    deleted(api)
    deleted(api)
    api.remove()
    assert set(rows(api).values()) == {0}


def test_a_key_tells_of_the_deletion_again_and_leaves_the_next_study_of_that_name_alone(api: Api) -> None:
    key = {"headers": {"Idempotency-Key": "once"}}
    api.submit("big")
    ok(api.post("/studies/big/pause"))
    ok(api.delete("/studies/big", **key), 204)
    api.submit("big")
    ok(api.delete("/studies/big", **key), 204)
    assert api.show("big")["status"] == "running"


def test_only_the_server_that_leads_removes_and_it_ends_when_it_is_told_to(api: Api) -> None:
    deleted(api)
    left = rows(api)
    database = api.app.state.database
    REMOVE(Remover(database, lambda: False, lambda _: False))
    assert rows(api) == left
    REMOVE(Remover(database, lambda: True, lambda _: True))
    assert rows(api)["studies"] == 1
    assert rows(api)["trials"] < left["trials"]
    REMOVE(Remover(database, lambda: True, lambda _: False))
    assert set(rows(api).values()) == {0}
