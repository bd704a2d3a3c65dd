"""Hands what is slow to compute to the process that makes suggestions."""

from collections.abc import Callable
from typing import Annotated, ParamSpec, Protocol, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from service.search.base import Answer, Question

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Process(Protocol):
    def ask(self, algorithm: str, question: Question, settings: BaseModel, count: int) -> Answer: ...

    def call(
        self, function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result: ...


async def _process(request: Request) -> Process:
    process: Process = request.app.state.search_process
    return process


Computing = Annotated[Process, Depends(_process)]
