"""What can stand between a call and its answer, as exceptions that carry the server's problem document."""

from pydantic import ValidationError

from service.protocol import FieldFault, Problem


class ApiError(Exception):
    """The server refused, and its problem document says why and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem

    @property
    def status(self) -> int:
        return self.problem.status

    @property
    def type(self) -> str:
        return self.problem.type

    @property
    def slug(self) -> str:
        """The last segment of the problem's type, such as `lease-lost`."""
        return self.problem.type.rstrip("/").rsplit("/", 1)[-1]

    @property
    def title(self) -> str:
        return self.problem.title

    @property
    def detail(self) -> str:
        return self.problem.detail

    @property
    def field(self) -> str | None:
        return self.problem.field

    @property
    def errors(self) -> list[FieldFault]:
        return self.problem.errors


class LeaseLost(ApiError):
    """The lease is held by another attempt, or by none: drop this one."""


class NotFound(ApiError):
    """There is no such study, trial or round."""


class Refused(ApiError):
    """The request is well formed, but one of its fields cannot be."""


class Unreachable(ApiError):
    """No server answered, or one that cannot serve just now."""

    def __init__(self, url: str, reason: str, *, status: int = 0, retry_after_seconds: float = 0.0) -> None:
        title = "The server cannot be reached"
        detail = f"No answer from {url}: {reason}"
        super().__init__(Problem(type="about:blank", title=title, status=status, detail=detail))
        self.retry_after_seconds = retry_after_seconds


class Unreadable(ApiError):
    """An answer that is not what this client knows of the API."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        title = "The answer cannot be read"
        detail = f"{url} answered {status} with something else than expected: {reason}"
        super().__init__(Problem(type="about:blank", title=title, status=status, detail=detail))


def error_of(url: str, status: int, body: bytes) -> ApiError:
    """The exception for an answer of 400 and above."""
    try:
        problem = Problem.model_validate_json(body, extra="ignore")
    except ValidationError:
        return Unreadable(url, status, body[:200].decode(errors="replace").strip() or "an empty body")
    return _class_of(problem)(problem)


def _class_of(problem: Problem) -> type[ApiError]:
    if ApiError(problem).slug == "lease-lost":
        return LeaseLost
    return {404: NotFound, 422: Refused}.get(problem.status, ApiError)
