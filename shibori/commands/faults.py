"""What each expected error says to a person, and the exit code that it ends with."""

from collections.abc import Iterator

from client import ApiError, Unreachable

NO_SERVER = "Start a server with `shibori serve`, or name one with --server or SHIBORI_SERVER_URL."


def exit_code_of(error: Exception) -> int | None:
    """1 for a refusal, 3 for a server that is not there, None for what nobody expected."""
    match error:
        case Unreachable():
            return 3
        case ApiError():
            return 1
    return None


def lines_of(error: Exception) -> Iterator[str]:
    """One line a fault: the field, what is wrong with it, the way out."""
    match error:
        case Unreachable():
            yield f"{error.detail}. {NO_SERVER}"
        case ApiError() if error.errors:
            for fault in error.errors:
                yield f"{fault.field}: {fault.message}" if fault.field else fault.message
        case ApiError():
            yield str(error)
