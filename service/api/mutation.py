"""Carries out a mutation and its Idempotency-Key in one unit of work, committed before the answer leaves."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from service.api.arrivals import Arrivals
from service.api.problems import MEDIA_TYPE, refusal
from service.domain.errors import IdempotencyKeyReused, LeaseLost, ShiboriError
from service.domain.facts import Happening
from service.storage.keys import StoredAnswer
from service.storage.store import Database, Store

Work = Callable[[Store], BaseModel | None]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=256,
        description="The same key and request get the first answer again, for 24 hours.",
    ),
]


class Mutation:
    """One mutating request, which may be one that was made before."""

    def __init__(self, request: Request, key: str | None = None, fingerprint: str = "") -> None:
        state = request.app.state
        self._database: Database = state.database
        self._arrivals: Arrivals = state.arrivals
        self._closing: bool = state.notifier.closing
        self._key, self._fingerprint, self._scope = key, fingerprint, request.scope

    def may_claim(self, count: int) -> int:
        """How many of so many trials may be claimed beside: none when the server is about to end."""
        return 0 if self._closing else count

    async def answer(
        self,
        work: Work,
        status: int = 200,
        location: Callable[[BaseModel], str] | None = None,
        *,
        joins: bool = False,
    ) -> Response:
        """Do the work, or find what was answered the first time; neither holds a thread while it waits its turn."""
        return respond(await self._done(lambda store: self._unit(store, work, status, location), joins=joins))

    async def attempt(self, work: Work, *, keep: Callable[[BaseModel], bool], joins: bool = False) -> StoredAnswer:
        """The same, where an answer that is not to be kept may come out otherwise when asked again."""
        return await self._done(lambda store: self._unit(store, work, 200, None, keep), joins=joins)

    async def _done(self, unit: Callable[[Store], StoredAnswer], *, joins: bool) -> StoredAnswer:
        answer = await self._arrivals.of(self._database.submit(unit, joins=joins))
        # Its line of the log, if it gets one, says what it was about.
        self._scope.setdefault("state", {})["answer"] = answer
        return answer

    def _unit(
        self,
        store: Store,
        work: Work,
        status: int,
        location: Callable[[BaseModel], str] | None,
        keep: Callable[[BaseModel], bool] = lambda _: True,
    ) -> StoredAnswer:
        def fresh() -> tuple[StoredAnswer, bool]:
            result = work(store)
            body = "" if result is None else result.model_dump_json()
            place = location(result) if location and result is not None else None
            return StoredAnswer(self._fingerprint, status, body, place), result is None or keep(result)

        return fresh()[0] if self._key is None else self._once(store, self._key, fresh)

    def _once(self, store: Store, key: str, fresh: Callable[[], tuple[StoredAnswer, bool]]) -> StoredAnswer:
        """What was answered under the key, or a fresh answer, which may be a refusal, for it to be found under."""
        store.serialise(key)
        if first := store.keys.find(key, store.now):
            if first.fingerprint != self._fingerprint:
                raise IdempotencyKeyReused
            store.note(Happening.REPLAYED)
            return first
        try:
            with store.tentative() as attempt:
                answer, kept = fresh()
                attempt.keep()
        except ShiboriError as error:
            answer, kept = self._refused(store, error), True
        if kept:
            store.keys.keep(key, answer, store.now)
        return answer

    def _refused(self, store: Store, error: ShiboriError) -> StoredAnswer:
        """A refusal as an answer that is kept; one that passes is raised, and the same key may have it done later."""
        if error.passes:
            raise error
        if isinstance(error, LeaseLost):
            store.note(Happening.LEASE_LOST)
        document = refusal(self._scope["path"], error)
        return StoredAnswer(self._fingerprint, document.status, document.model_dump_json(), None)


def respond(answer: StoredAnswer) -> Response:
    headers = {"Location": answer.location} if answer.location else None
    media_type = MEDIA_TYPE if answer.status >= 400 else "application/json" if answer.body else None
    return Response(answer.body, answer.status, headers, media_type)


async def _mutation(request: Request, key: Key = None) -> Mutation:
    return Mutation(request, key, "" if key is None else await _fingerprint(request))


async def _fingerprint(request: Request) -> str:
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    return blake2b(asked, digest_size=16).hexdigest()


Mutating = Annotated[Mutation, Depends(_mutation)]
