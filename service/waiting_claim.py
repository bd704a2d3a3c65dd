"""A claim that stands in line."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from service.storage.workers import Terms

Answer = TypeVar("Answer")
Attempt = Callable[[], Coroutine[Any, Any, Answer | None]]
"""A claim, made once: its answer, or None while there is nothing for it."""


@dataclass(eq=False, slots=True)
class WaitingClaim(Generic[Answer]):
    """What it asks for, how it is made, and its answer; made in the context of its own request."""

    terms: Terms
    count: int
    attempt: Attempt[Answer]
    answer: asyncio.Future[Answer | None]
    context: Context = field(default_factory=copy_context)
    called: bool = False

    def settle(self, made: asyncio.Task[Answer | None], *, stays: bool) -> bool:
        """Take what came of its turn as the answer, unless it was nothing and the claim stays in line.

        Returns whether there was something for it, as far as anybody can tell.
        """
        self.called = False
        if self.answer.done():
            return True
        if error := made.exception():
            self.answer.set_exception(error)
            return True
        if made.result() is not None or not stays:
            self.answer.set_result(made.result())
        return made.result() is not None
