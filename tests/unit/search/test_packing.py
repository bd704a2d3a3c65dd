"""A history in pieces is the history."""

import pytest

from service.domain.status import TrialStatus
from service.domain.trial import Observation
from service.search.packing import PIECE, after, packed, unpacked


def history(length: int) -> tuple[Observation, ...]:
    return tuple(Observation(n, {"x": n / 7, "kind": "a"}, TrialStatus.COMPLETED, float(n), 100) for n in range(length))


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_what_is_packed_and_the_rest_are_the_whole(length: int) -> None:
    seen = history(length)
    pieces = packed(seen)
    assert len(pieces) == length // PIECE
    assert (*unpacked(pieces), *after(seen, pieces)) == seen


def test_what_was_packed_before_is_not_packed_again() -> None:
    early = packed(history(2 * PIECE))
    later = packed(history(3 * PIECE + 5), early)
    assert all(one is other for one, other in zip(early, later, strict=False))
    assert later == packed(history(3 * PIECE + 5))
