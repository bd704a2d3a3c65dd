"""The calls outside of the versioned API: is it alive, is it ready, which version is it."""

import platform
from collections.abc import Iterator
from importlib.metadata import version

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from service.api.problems import Kind, problem
from service.api.reading import Reading
from service.protocol import Check, Readiness, Version, Wire
from service.storage.store import Database

router = APIRouter(tags=["health"])


class Health(Wire):
    status: str


@router.get("/livez")
async def livez() -> Health:
    """Answers while the process does; touches nothing."""
    return Health(status="alive")


@router.get("/readyz", response_model=Readiness, responses={503: {"description": "not-ready"}})
def readyz(request: Request, database: Reading) -> Readiness | JSONResponse:
    """Whether the database answers and has the schema that this version needs, and whether suggestions are made."""
    checks = list(_checks(request, database))
    wrong = "; ".join(f"{check.name}: {check.detail}" for check in checks if not check.ready)
    if not wrong:
        return Readiness(status="ready", checks=checks)
    more = {"checks": [check.model_dump() for check in checks]}
    return problem(request, _NOT_READY, wrong, headers={"Retry-After": "5"}, more=more)


@router.get("/version")
def about(request: Request) -> Version:
    """The version of the service and of what it runs on."""
    return Version(
        version=version("shibori"), python=platform.python_version(), database=request.app.state.database.description
    )


_NOT_READY = Kind(503, "not-ready", "The service is not ready")


def _checks(request: Request, database: Database) -> Iterator[Check]:
    state = request.app.state
    yield _check("server", "it is about to end" if state.notifier.closing else None)
    try:
        schema = database.read(lambda store: store.schema())
    except Exception as error:  # noqa: BLE001 (whatever stands in the way, the answer is the same)
        yield _check("database", f"it does not answer: {error}")
    else:
        trouble = database.trouble
        yield _check("database", None if trouble is None else f"it cannot be written: {trouble}")
        other = f"it has another schema, {schema}; run `shibori db upgrade`"
        yield _check("migrations", None if schema == state.schema else other)
    for name, troubles in state.parts.items():
        yield _check(name, next((trouble for tell in troubles if (trouble := tell())), None))


def _check(name: str, trouble: str | None) -> Check:
    return Check(name=name, ready=trouble is None, detail=trouble)
