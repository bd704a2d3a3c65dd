"""No statement is more work in a study of very many trials, or beside very many studies, than its answer is long."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa

from service.domain.status import FINISHED, TrialStatus
from service.domain.study import Plan
from service.operations.expire import lengthen_leases, refresh_leases
from service.operations.history import Histories
from service.operations.narrow import judge_ranges
from service.operations.remove import remove_portion
from service.operations.suggest import Pace, plan_suggestions
from service.storage import migrations
from service.storage.store import Store
from service.storage.tables import metadata
from tests.integration.conftest import BACKENDS, migrated, served
from tests.integration.filling import BIG, Size, fill
from tests.integration.harness import Api, spec
from tests.integration.statements import Sent, recorded

# What it deletes is recorded under the name of the thread that writes.
pytestmark = pytest.mark.usefixtures("removing_on_demand")
Call: TypeAlias = Callable[[], Any]
BIG_STUDY, STUDY = f"/studies/{BIG}", "/studies/{study}"

SMALL, MILLION = Size(trials=20_000, studies=3_000), Size(trials=1_000_000, studies=10_000)
# Of a table that is smaller than this, PostgreSQL rather reads all than look up 200 rows.
LARGER = Size(trials=60_000, studies=3_000)
# A page of 50 takes SQLite some 15,000 steps and PostgreSQL some 2,500 rows, of several statuses; to read the trials
# of the small study takes 150,000 steps, and of the larger one 60,000 rows.
MOST = {"sqlite": 30_000, "postgresql": 5_000}
# To look whether something waits, in the half of the studies that runs; they have 20 trials each, or more, to read.
A_STUDY = {"sqlite": 20, "postgresql": 2}
FEW_ROWS = 50
# What narrowing rests on: a thousand trials take SQLite up to 75,000 steps, and PostgreSQL some 11,000 rows where it
# does not rather read a table of 60,000 from end to end.
OF_A_THOUSAND = {"sqlite": 100_000, "postgresql": 60_000}

WHOLE = {
    "what has finished": "models and importance rest on all of it",
    f"POST {STUDY}/trials from a study": "what is there already is left out, whatever it is",
    "GET /studies by tag": "the studies with a tag are put in order, however few of them are shown",
    f"POST {STUDY}/forget-curves": "PostgreSQL reads a small table from end to end rather than look up 500 rows",
    "suggester, studies": "it sees what every running study has come to",
    "suggester": "points that were cancelled are never suggested again, however long ago that was",
}
"""What reads a whole study, or all of them, by its nature: by an index, on SQLite at least."""
ELSEWHERE = {
    "GET /algorithms": "sends no statement",
    "GET /objectives": "sends no statement",
    f"GET {STUDY}/importance": "reads what has finished",
    f"GET {STUDY}/trials/{{number}}/replay": "reads what has finished",
}


def test_every_reference_can_be_followed_back_by_an_index() -> None:
    """What is deleted is looked for in every table that refers to it."""
    for table in metadata.tables.values():
        led = {next(iter(index.columns)).name for index in (*table.indexes, table.primary_key)}
        led |= {next(iter(one.columns)).name for one in table.constraints if isinstance(one, sa.UniqueConstraint)}
        assert {key.parent.name for key in table.foreign_keys} <= led, table.name


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((backend, size), marks=[] if size is SMALL else [pytest.mark.slow], id=f"{backend}-{size.trials}")
        for backend, size in (("sqlite", SMALL), ("postgresql", LARGER), *((one, MILLION) for one in BACKENDS))
    ],
)
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server on a database with many rows."""
    backend, size = request.param
    with migrated(request, tmp_path_factory.mktemp("full"), backend) as url:
        engine = migrations.migration_engine(url)
        fill(engine, size)
        engine.dispose()
        with served(url) as running:
            yield running


def test_no_statement_of_a_page_grows_with_the_study(full: Api) -> None:
    for status in (None, *TrialStatus):
        for number in (None, 0, 1):
            for sort in ("number", "value", "-value"):
                for limit in (1, 50):
                    _check_pages(full, {"status": status, "round": number, "sort": sort, "limit": limit})


def _check_pages(api: Api, query: dict[str, object]) -> None:
    """The first page, the second, and one from the middle."""
    asked = {name: value for name, value in query.items() if value is not None}
    for _ in range(2):
        page = _bounded(api, f"page {asked}", partial(api.get, f"{BIG_STUDY}/trials", params=asked))
        if page.json()["next_cursor"] is None:
            return
        asked["cursor"] = page.json()["next_cursor"]


@pytest.mark.parametrize("end", ["first", "last"])
def test_either_end_of_what_has_finished_is_looked_up_past_however_many_others(full: Api, end: str) -> None:
    """In the index of the numbers alone they would all be read."""
    _, sent = _sent(partial(_within, full, _first_finished if end == "first" else _last_finished))
    looked_up = [line for one in sent for line in one.plan if "ix_trials" in line or "uq_trials" in line]
    assert len(looked_up) == len(FINISHED)
    assert all("status_number" in line for line in looked_up), looked_up


def test_no_statement_of_any_call_grows_with_the_study_or_with_the_number_of_studies(full: Api) -> None:
    done = set()
    for name, call in _calls(full):
        answer = (_read if name in WHOLE else _bounded)(full, name, call)
        assert getattr(answer, "status_code", 200) < 400, f"{name}: {answer.text}"
        done.add(" ".join(name.split()[:2]))
    assert _operations(full) - done - ELSEWHERE.keys() == set(), "a call that is not tried here"


def test_what_prometheus_reads_is_counted_without_the_trials_that_have_finished(
    full: Api, request: pytest.FixtureRequest
) -> None:
    """It grows with the studies, whose counts it adds up, and with the workers."""
    answer, sent = _sent(partial(full.client.get, "/metrics"))
    of_trials = [one for one in sent if re.search(r"(FROM|JOIN) trials\b", one.statement)]
    studies = request.node.callspec.params["full"][1].studies
    assert answer.status_code == 200
    assert len(of_trials) == 2
    worst = max(of_trials, key=lambda one: one.work)
    assert worst.work <= A_STUDY[_engine(full)] * studies, str(worst)


def _operations(api: Api) -> set[str]:
    paths = api.app.openapi()["paths"]
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in paths.items()
        for method in operations
        if path.startswith("/api/v1")
    }


def _bounded(api: Api, name: str, call: Call) -> Any:
    answer, sent = _sent(call)
    worst = max(sent, key=lambda one: one.work, default=None)
    most = OF_A_THOUSAND if f"{STUDY}/narrowing" in name else MOST
    assert worst is None or worst.work <= most[_engine(api)], f"{name}: {worst}"
    return answer


def _engine(api: Api) -> str:
    return api.url.split(":")[0].split("+")[0]


def _read(api: Api, name: str, call: Call) -> Any:
    answer, sent = _sent(call)
    scanned = {table for one in sent for table in one.scanned if api.url.startswith("sqlite")}
    tables = {"trials", "events", "attempts", "curves", "standings", "idempotency_keys"}
    assert not scanned & tables, f"{name}: reads {scanned} from end to end"
    return answer


def _sent(call: Call) -> tuple[Any, list[Sent]]:
    with recorded() as sent:
        answer = call()
    return answer, sent


def _calls(api: Api) -> Iterator[tuple[str, Call]]:
    """Every call of the API at least once, with what is needed for it done before."""
    get, post, study = api.get, api.post, BIG_STUDY
    yield "POST /studies", partial(post, "/studies", spec())
    for query in ("", "status=completed", "status=running", f"name={BIG}"):
        yield f"GET /studies ?{query}", partial(get, f"/studies?limit=50&{query}")
        cursor = get(f"/studies?limit=50&{query}").json()["next_cursor"] or ""
        if cursor:
            yield f"GET /studies ?{query}, next", partial(get, f"/studies?limit=50&{query}&cursor={cursor}")
    yield "GET /studies by tag", partial(get, "/studies?limit=50&tag=even")
    yield f"GET {STUDY}", partial(get, study)
    yield f"GET {STUDY}/trials", partial(get, f"{study}/trials?purpose=confirmation")
    yield f"GET {STUDY}/trials/{{number}}", partial(get, f"{study}/trials/700")
    yield f"GET {STUDY}/trials/{{number}}/curve", partial(get, f"{study}/trials/700/curve")
    for number in ("", "&round=0", "&round=1"):
        yield f"GET {STUDY}/best {number}", partial(get, f"{study}/best?n=5{number}")
    yield f"GET {STUDY}/rounds", partial(get, f"{study}/rounds")
    yield f"GET {STUDY}/figures/{{name}}.{{form}}", partial(get, f"{study}/figures/learning-curves.svg")
    yield "what has finished", partial(_within, api, _observations)
    yield f"GET {STUDY}/narrowing", partial(get, f"{study}/narrowing")
    yield f"GET {STUDY}/narrowing by evidence", partial(_within, api, _judged)
    yield "GET /workers", partial(get, "/workers")
    yield from _calls_of_workers(api)
    yield from _changes(api)
    yield from _looks_of_the_suggester(api)
    yield f"POST {STUDY}/stop", partial(post, f"{study}/stop")
    yield f"DELETE {STUDY}", partial(api.delete, study)
    yield "remover", partial(api.app.state.database.write, partial(remove_portion, rows=FEW_ROWS))


def _calls_of_workers(api: Api) -> Iterator[tuple[str, Call]]:
    asked = {"worker": "ann", "objectives": ["bowl"], "count": 1}
    keyed = {"headers": {"Idempotency-Key": "key"}}
    yield "POST /claims", partial(api.post, "/claims", asked | {"request_id": "r"}, **keyed)
    yield "POST /claims again", partial(api.post, "/claims", asked | {"request_id": "r"})
    yield "POST /claims of one study", partial(api.post, "/claims", asked | {"study": BIG, "count": 20})
    yield "POST /claims that draws", partial(api.post, "/claims", asked | {"count": 20})
    yield "POST /claims for nothing", partial(api.post, "/claims", asked | {"objectives": ["other"]})
    epochs = [{"epoch": 1, "score": 0.5}]
    held = api.claim(5)
    path = "/trials/{trial_id}"
    yield f"POST {path}/report", partial(api.tell, held[0], "report", epochs=epochs)
    weights, lease = f"/api/v1/trials/{held[0]['id']}/weights", {"lease": held[0]["lease"]["token"]}
    yield f"PUT {path}/weights", partial(api.client.put, weights, params=lease, content=b"w")
    yield f"POST {path}/complete", partial(api.complete, held[0], 2.0, claim_next=1)
    yield f"POST {path}/complete again", partial(api.complete, held[0], 2.0, claim_next=1)
    yield f"GET {STUDY}/best-model", partial(api.get, f"{BIG_STUDY}/best-model")
    yield f"POST {path}/fail", partial(api.tell, held[1], "fail", message="no")
    yield f"POST {path}/release", partial(api.tell, held[2], "release")
    yield "POST /workers/{name}/release", partial(api.post, "/workers/ann/release")
    api.clock.move(60)
    yield "sweep", api.sweep
    write, big = api.app.state.database.write, api.show(BIG)["id"]
    yield "fresh leases", partial(write, partial(refresh_leases, big))
    yield "longer leases", partial(write, partial(lengthen_leases, lambda _: timedelta(seconds=5), big))


def _changes(api: Api) -> Iterator[tuple[str, Call]]:
    study, ranges = BIG_STUDY, {"ranges": {"lr": {"low": 0.001, "high": 0.1}}}
    given = {"trials": [{"params": {"lr": 0.5}, "value": 0.3}, {"params": {"lr": 0.25}}]}
    failed, cancelled = f"{study}/trials/11", f"{study}/trials/13"
    yield f"POST {STUDY}/trials", partial(api.post, f"{study}/trials", given)
    yield f"POST {STUDY}/trials from a study", partial(api.post, f"{study}/trials", {"from_study": "study-2"})
    yield f"POST {STUDY}/trials/{{number}}/retry", partial(api.post, f"{failed}/retry")
    yield f"POST {STUDY}/trials/{{number}}/retry cancelled", partial(api.post, f"{cancelled}/retry")
    yield f"POST {STUDY}/trials/{{number}}/cancel", partial(api.post, f"{failed}/cancel")
    yield f"POST {STUDY}/forget-curves", partial(api.post, f"{study}/forget-curves", {"older_than_days": 1})
    yield f"PATCH {STUDY}", partial(api.patch, study, {"budget": {"trials": 2_000_000}, "tags": ["even"]})
    yield f"POST {STUDY}/rounds", partial(api.post, f"{study}/rounds", ranges)
    yield f"POST {STUDY}/confirmation", partial(api.post, f"{study}/confirmation", {"n": 2, "seeds": 2})
    yield f"GET {STUDY}/confirmation", partial(api.get, f"{study}/confirmation")
    yield f"POST {STUDY}/final-test", partial(api.post, f"{study}/final-test", {"trial": 700})
    yield f"GET {STUDY}/final-test", partial(api.get, f"{study}/final-test")
    claim = {"worker": "bob", "objectives": ["bowl"], "purposes": ["final_test"]}
    yield "POST /claims of the final test", partial(api.post, "/claims", claim)
    yield f"POST {STUDY}/clone", partial(api.post, f"{study}/clone", {"name": "clone"})
    yield f"POST {STUDY}/pause", partial(api.post, f"{study}/pause")
    yield f"POST {STUDY}/resume", partial(api.post, f"{study}/resume")


def _looks_of_the_suggester(api: Api) -> Iterator[tuple[str, Call]]:
    """The first look at the study reads what has finished; those that follow read what has changed."""
    api.patch(BIG_STUDY, {"search": {"algorithm": "bayesian"}})
    look = partial(_look, api.show(BIG)["id"], Histories())
    _within(api, look)
    yield "suggester, studies", partial(_within, api, lambda store: store.studies.running())
    yield "suggester", partial(_within, api, look)


def _look(study: str, histories: Histories, store: Store) -> object:
    return plan_suggestions(store, study, histories, Pace())


def _observations(store: Store) -> object:
    return store.trials.observations(store.studies.get(BIG).id)


def _first_finished(store: Store) -> object:
    return store.trials.first_finished(store.studies.get(BIG).id, 1)


def _last_finished(store: Store) -> object:
    return store.trials.highest_finished(store.studies.get(BIG).id)


def _judged(store: Store) -> object:
    return judge_ranges(store, store.studies.get(BIG), Plan(policy="evidence"))


def _within(api: Api, work: Callable[[Store], object]) -> object:
    return api.app.state.database.read(work)
