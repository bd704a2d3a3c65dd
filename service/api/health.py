"""The calls outside of the versioned API: is it alive, is it ready, which version is it."""

import platform
from importlib.metadata import version

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from service.api.problems import Kind, problem
from service.api.reading import Reading
from service.protocol import Version, Wire

router = APIRouter(tags=["health"])


class Health(Wire):
    status: str


@router.get("/livez")
async def livez() -> Health:
    """Answers while the process does; touches nothing."""
    return Health(status="alive")


@router.get("/readyz", response_model=Health, responses={503: {"description": "not ready"}})
def readyz(request: Request, database: Reading) -> Health | JSONResponse:
    """Whether the database answers and has the schema that this version needs."""
    try:
        schema = database.read(lambda store: store.schema())
    except Exception as error:  # noqa: BLE001 (whatever stands in the way, the answer is the same)
        return problem(request, _NOT_READY, f"The database does not answer: {error}", headers={"Retry-After": "5"})
    if schema != request.app.state.schema:
        return problem(request, _NOT_READY, "The database has another schema; run `shibori db upgrade`.")
    if database.trouble is not None:
        detail = f"The database cannot be written: {database.trouble}."
        return problem(request, _NOT_READY, detail, headers={"Retry-After": "5"})
    return Health(status="ready")


@router.get("/version")
def about(request: Request) -> Version:
    """The version of the service and of what it runs on."""
    return Version(
        version=version("shibori"), python=platform.python_version(), database=request.app.state.database.description
    )


_NOT_READY = Kind(503, "not-ready", "The service is not ready")
