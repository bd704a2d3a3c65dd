"""The calls that tell what there is: workers, algorithms, objectives."""

from fastapi import APIRouter

from service.api.reading import Reading
from service.operations.describe import (
    Description,
    known_objectives,
    narrowing_policies,
    pruning_rules,
    search_algorithms,
)
from service.protocol import Algorithms, Objectives, ObjectiveView, Plugin, WorkerList, WorkerView

router = APIRouter(tags=["catalogue"])


@router.get("/workers")
def workers(database: Reading) -> WorkerList:
    """Who has asked for trials, and how it went."""
    return WorkerList(
        items=[
            WorkerView(
                name=worker.name,
                objectives=worker.objectives,
                running=worker.running,
                completed=worker.completed,
                failed=worker.failed,
                first_seen_at=worker.first_seen_at,
                last_seen_at=worker.last_seen_at,
            )
            for worker in database.read(lambda store: store.workers.all())
        ]
    )


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
