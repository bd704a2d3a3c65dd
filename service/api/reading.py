"""Carries out what only reads, and holds the pages of long lists."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel

from service.domain.errors import InvalidInput
from service.protocol import LARGEST_ID, MAX_PAGE
from service.storage.store import Database

Result = TypeVar("Result")
LONGEST_NAME = 256
_HEXADECIMAL = re.compile("[0-9a-f]{1,32}")


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def shown(view: BaseModel) -> Response:
    """An answer written out where it was made: FastAPI would check it once more, and in another thread."""
    return Response(view.model_dump_json(), media_type="application/json")


Reading = Annotated[Database, Depends(_database)]
StudyKey = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$", description="Id or name.")]
TrialId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
TrialNumber = Annotated[int, Path(ge=0, le=LARGEST_ID)]
Word = Annotated[str | None, Query(max_length=128, pattern="^[^\\x00]*$")]
RoundNumber = Annotated[int | None, Query(alias="round", ge=0, le=2**31 - 1)]
Limit = Annotated[int, Query(ge=1, description=f"Above {MAX_PAGE} it counts as {MAX_PAGE}.")]
Cursor = Annotated[str | None, Query(max_length=4096, description="The next_cursor of the page before.")]


def write_cursor(*place: object) -> str:
    """A cursor that names a place in a list."""
    return base64.urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode()


def read_cursor(cursor: str | None, kinds: tuple[Callable[[Any], Any], ...]) -> tuple[Any, ...] | None:
    """The place that a cursor names, each part read by its kind."""
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor))
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise InvalidInput.of("cursor", "must be a next_cursor that this server gave out") from error


def moment(part: Any) -> datetime:
    """A part of a cursor that is a time."""
    return datetime.fromisoformat(part).astimezone(UTC)


def row_number(part: Any) -> int:
    """A part of a cursor that is a number which a row may have."""
    if isinstance(part, int) and 0 <= part <= LARGEST_ID:
        return part
    raise ValueError(part)


def study_id(part: Any) -> str:
    """A part of a cursor that is the id of a study."""
    if isinstance(part, str) and _HEXADECIMAL.fullmatch(part):
        return part
    raise ValueError(part)


def worker_name(part: Any) -> str:
    """A part of a cursor that is the name of a worker."""
    if isinstance(part, str) and 0 < len(part.encode()) <= 4 * LONGEST_NAME and "\x00" not in part:
        return part
    raise ValueError(part)


def cut(items: list[Result], limit: int, place: Callable[[Result], str]) -> tuple[list[Result], str | None]:
    """A page of at most `limit` of the items, and the cursor to the next one where there are more."""
    if len(items) <= limit:
        return items, None
    return items[:limit], place(items[limit - 1])
