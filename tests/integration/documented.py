"""Which refusals the OpenAPI document has, by call: what a test is refused must be among them."""

import re
from functools import cache
from typing import Any

from service.app import create_app
from service.settings import Settings

CHECKED = (404, 409, 422, 503)


@cache
def document() -> dict[str, Any]:
    return create_app(Settings(database_url="sqlite:///never-opened.db")).openapi()


def slugs(operation: dict[str, Any], status: int) -> set[str]:
    """The kinds of problem that a call may answer with under one status."""
    content = operation["responses"].get(str(status), {}).get("content", {})
    return set(content.get("application/problem+json", {}).get("examples", {}))


def require_documented(response: Any, slug: str) -> None:
    """Fail where a call of the API was refused in a way that the document does not have."""
    asked = response.request
    for pattern, methods in _calls():
        operation = methods.get(asked.method.lower())
        if operation is not None and pattern.fullmatch(asked.url.path) and response.status_code in CHECKED:
            known = slugs(operation, response.status_code)
            assert slug in known, f"{asked.method} {asked.url.path} may be refused with {known}, not with {slug}"


@cache
def _calls() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    paths = ((path, methods) for path, methods in document()["paths"].items() if path.startswith("/api/"))
    return [(re.compile(_FIELD.sub("[^/]+", path)), methods) for path, methods in paths]


_FIELD = re.compile(r"\{\w+\}")
