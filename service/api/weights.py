"""The calls that hand in what a trial has learned, and fetch what the best one has."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.api.addresses import API
from service.api.mutation import Mutating
from service.api.reading import Reading, StudyKey, TrialId
from service.operations.weights import best_weights, take_weights

router = APIRouter(prefix=API, tags=["weights"])
BINARY = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
Lease = Annotated[str, Query(min_length=1, max_length=128, description="The token of the lease.")]


@router.put(
    "/trials/{trial_id}/weights",
    status_code=204,
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, **BINARY}},
)
async def put_weights(request: Request, trial_id: TrialId, lease: Lease, mutating: Mutating) -> Response:
    """Hand in what a running trial has learned, any bytes; the study keeps those of its best trial."""
    content = await request.body()
    return await mutating.answer(lambda store: take_weights(store, trial_id, lease, content), 204)


@router.get("/studies/{study}/best-model", response_class=Response, responses={200: BINARY})
def best_model(study: StudyKey, database: Reading) -> Response:
    """The weights of the best trial, as its worker handed them in."""
    content = database.read(lambda store: best_weights(store, study))
    return Response(content, media_type="application/octet-stream")
