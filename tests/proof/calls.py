"""Requests as clients make them, and what came of each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from tests.proof.picture import Picture

Json: TypeAlias = Mapping[str, Any]
WRITES = ("report", "complete", "fail", "release")
"""What a worker says under a lease."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, which may be made again exactly as it was."""

    method: str
    path: str
    body: Json | None = None
    key: str | None = None

    @property
    def kind(self) -> str:
        """What it asks for: the last word of its path."""
        return self.path.rsplit("/", 1)[1]

    @property
    def is_write(self) -> bool:
        return self.path.startswith("/trials/") and self.kind in WRITES

    @property
    def trial_id(self) -> int:
        """The trial that a worker writes to."""
        return int(self.path.split("/")[2])

    @property
    def token(self) -> str | None:
        """The lease under which a worker writes."""
        return None if self.body is None else self.body.get("lease")

    def without(self, field: str) -> "Call":
        """The same with one thing less said."""
        return replace(self, body={name: said for name, said in (self.body or {}).items() if name != field})

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.key is None else {"Idempotency-Key": self.key}


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, with the database before and after."""

    call: Call
    status: int
    text: str
    before: Picture
    after: Picture
    at: datetime

    @property
    def is_good(self) -> bool:
        return self.status < 300

    @property
    def answer(self) -> Any:
        return json.loads(self.text) if self.text else None

    @property
    def claimed(self) -> list[Any]:
        """The trials that the answer hands out."""
        if not self.is_good or self.call.kind not in ("claims", "report", "complete"):
            return []
        trials: list[Any] = (self.answer if self.call.kind == "claims" else self.answer["claimed"])["trials"]
        return trials
