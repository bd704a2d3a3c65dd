"""What Prometheus reads: all that is counted, and what there is at the moment."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry

from service.api.reading import Reading
from service.exposition import page

router = APIRouter(tags=["health"])


def _counted(request: Request) -> CollectorRegistry:
    registry: CollectorRegistry = request.app.state.counted
    return registry


@router.get("/metrics", response_class=Response, responses={200: {"content": {CONTENT_TYPE_LATEST: {}}}})
def metrics(database: Reading, counted: Annotated[CollectorRegistry, Depends(_counted)]) -> Response:
    """Counters and gauges in Prometheus's text format, none of them by id or name."""
    census = database.read(lambda store: store.census())
    return Response(page(counted, census, database.description), media_type=CONTENT_TYPE_LATEST)
