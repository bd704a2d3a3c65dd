"""What Prometheus reads: all that is counted, and what there is at the moment."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from service.api.reading import Reading
from service.exposition import MEDIA_TYPE, Counted, page

router = APIRouter(tags=["health"])


async def _counted(request: Request) -> Counted:
    counted: Counted = request.app.state.counted
    return counted


@router.get("/metrics", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}})
def metrics(database: Reading, counted: Annotated[Counted, Depends(_counted)]) -> Response:
    """Counters and gauges in Prometheus's text format, none of them by id or name."""
    census = database.read(lambda store: store.census())
    return Response(page(counted, census, database.description), media_type=MEDIA_TYPE)
