"""The calls that tell what there is: workers, algorithms, objectives."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from service.api.addresses import API
from service.api.mutation import Mutating
from service.api.reading import Cursor, Limit, Reading, cut, read_cursor, worker_name, write_cursor
from service.api.strict_json import StrictRoute
from service.api.views import worker_view
from service.operations.describe import (
    Description,
    known_objectives,
    narrowing_policies,
    pruning_rules,
    search_algorithms,
)
from service.operations.pause_worker import release_worker
from service.protocol import MAX_PAGE, Algorithms, Objectives, ObjectiveView, Plugin, WorkerList, WorkerView

router = APIRouter(prefix=API, tags=["catalogue"], route_class=StrictRoute)
WorkerKey = Annotated[str, Path(min_length=1, max_length=256, pattern="^[^\\x00]*$")]


@router.get("/workers")
def workers(database: Reading, limit: Limit = MAX_PAGE, cursor: Cursor = None) -> WorkerList:
    """Who has asked for trials, and how it went; a page of workers, by their names."""
    (after,), limit = read_cursor(cursor, (worker_name,)) or (None,), min(limit, MAX_PAGE)
    found = database.read(lambda store: store.workers.page(after, limit + 1))
    page, following = cut(found, limit, lambda worker: write_cursor(worker.name))
    return WorkerList(items=[worker_view(worker) for worker in page], next_cursor=following)


@router.post("/workers/{name:path}/release", response_model=WorkerView)
async def release(name: WorkerKey, mutating: Mutating) -> Response:
    """Let a worker claim again that was paused since its trials failed."""
    return await mutating.answer(lambda store: worker_view(release_worker(store, name)))


@router.get("/algorithms")
def algorithms() -> Algorithms:
    """What this server can search, narrow and prune with, each with the JSON Schema of its settings."""
    return Algorithms(
        search=[_plugin(one) for one in search_algorithms()],
        narrowing=[_plugin(one) for one in narrowing_policies()],
        pruning=[_plugin(one) for one in pruning_rules()],
    )


@router.get("/objectives")
def objectives() -> Objectives:
    """The objectives that ship with this server; any other name is accepted as external."""
    return Objectives(
        items=[ObjectiveView(**_plugin(one).model_dump(), metrics=list(one.metrics)) for one in known_objectives()]
    )


def _plugin(one: Description) -> Plugin:
    return Plugin(name=one.name, description=one.description, settings=dict(one.settings))
