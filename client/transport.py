"""Requests over kept connections: sent again where that is safe, answers read into wire models."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

from pydantic import BaseModel, ValidationError
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from client.errors import Unreachable, Unreadable, error_of
from client.retry import Retry

API = "/api/v1"
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0

Model = TypeVar("Model", bound=BaseModel)
Body = BaseModel | Mapping[str, Any] | bytes


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    body: Body | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0

    def target(self, url: str) -> str:
        given = {name: value for name, value in self.query.items() if value is not None}
        return f"{url}{self.path}" + (f"?{urlencode(given)}" if given else "")


@dataclass(frozen=True, slots=True)
class Transport:
    url: str
    retry: Retry
    pool: PoolManager

    @classmethod
    def to(cls, url: str, retry: Retry) -> "Transport":
        return cls(_checked(url), retry, PoolManager(num_pools=2, maxsize=8, retries=False))

    def with_retry(self, retry: Retry) -> "Transport":
        """The same connections with another patience."""
        return replace(self, retry=retry)

    def get(self, path: str, model: type[Model], **query: object) -> Model:
        return self._read(Request("GET", API + path, query), model)

    def get_open(self, path: str, model: type[Model]) -> Model:
        """Keeps numbers of any name, which to ignore what is new would drop."""
        answer = self.send(Request("GET", API + path))
        return _parsed(model, answer, "allow", self.url + path)

    def post(self, path: str, model: type[Model], body: Body | None = None) -> Model:
        """A mutation under a key of its own, so that to send it again is to ask for the same answer."""
        return self._read(Request("POST", API + path, body=body, headers=_fresh_key()), model)

    def post_keyless(self, path: str, model: type[Model], body: Body, wait_seconds: float = 0.0) -> Model:
        """A mutation that its own body makes safe to repeat: a lease's token, a request id."""
        return self._read(Request("POST", API + path, body=body, wait_seconds=wait_seconds), model)

    def patch(self, path: str, model: type[Model], body: Body) -> Model:
        return self._read(Request("PATCH", API + path, body=body, headers=_fresh_key()), model)

    def put_bytes(self, path: str, content: bytes, **query: object) -> None:
        """A mutation that may be repeated as it is."""
        self.send(Request("PUT", API + path, query, content, {"Content-Type": "application/octet-stream"}))

    def delete(self, path: str) -> None:
        self.send(Request("DELETE", API + path, headers=_fresh_key()))

    def root(self, path: str, model: type[Model]) -> Model:
        return self._read(Request("GET", path), model)

    def send(self, request: Request) -> bytes:
        """The body of a good answer, after as many tries as the patience allows."""
        return self.retry.run(lambda: self._send_once(request))

    def _read(self, request: Request, model: type[Model]) -> Model:
        return _parsed(model, self.send(request), "ignore", self.url + request.path)

    def _send_once(self, request: Request) -> bytes:
        try:
            answer = self._exchange(request)
        except HTTPError as error:
            raise Unreachable(self.url, _reason(error)) from error
        if answer.status in self.retry.statuses:
            raise Unreachable(
                self.url, _busy(answer), status=answer.status, retry_after_seconds=_retry_after_seconds(answer)
            )
        if answer.status >= 400:
            raise error_of(self.url + request.path, answer.status, answer.data)
        return answer.data

    def _exchange(self, request: Request) -> BaseHTTPResponse:
        return self.pool.request(
            request.method,
            request.target(self.url),
            body=_encoded(request.body),
            headers={"Accept": "application/json", "Content-Type": "application/json", **request.headers},
            timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS + request.wait_seconds),
            redirect=False,
        )


def _checked(url: str) -> str:
    try:
        parsed = parse_url(url)
    except LocationParseError:
        parsed = parse_url("")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError(f"a server's address looks like http://host:8000, got {url!r}")
    return url.rstrip("/")


def _encoded(body: Body | None) -> bytes | None:
    if isinstance(body, bytes):
        return body
    if isinstance(body, BaseModel):
        return body.model_dump_json(exclude_unset=True, by_alias=True).encode()
    return None if body is None else json.dumps(body).encode()


def _parsed(model: type[Model], body: bytes, extra: Any, url: str) -> Model:
    try:
        return model.model_validate_json(body, extra=extra)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unreadable(url, 200, f"{place}: {first['msg']}".lstrip(": ")) from error


def _fresh_key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def _busy(answer: BaseHTTPResponse) -> str:
    problem = error_of("", answer.status, answer.data)
    return f"{answer.status} {answer.reason or ''}".strip() if isinstance(problem, Unreadable) else problem.detail


def _retry_after_seconds(answer: BaseHTTPResponse) -> float:
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "")))
    except ValueError:
        return 0.0


def _reason(error: HTTPError) -> str:
    return str(error.__cause__ or error.__context__ or error) or type(error).__name__
