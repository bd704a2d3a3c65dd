"""How long a worker asks again, for what."""

from client import Retry

UNANSWERED = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_PAUSE_SECONDS = 5.0
RESULT_SECONDS = 3600.0


def for_seconds(total_seconds: float, longest_pause_seconds: float = LONGEST_PAUSE_SECONDS) -> Retry:
    """Also asks again after errors that a server may get over."""
    longest = min(LONGEST_PAUSE_SECONDS, longest_pause_seconds)
    return Retry(total_seconds=total_seconds, longest_pause_seconds=longest, statuses=UNANSWERED)


def once() -> Retry:
    return for_seconds(0.0)


def for_a_result(renew_seconds: float) -> Retry:
    """As long as a result is worth.

    A server that comes back gives each lease its full time again, in which the next try must fall.
    """
    return for_seconds(RESULT_SECONDS, renew_seconds)
