"""A long history on its way to another process: pieces of it are packed once here, and unpacked once there."""

import pickle
from collections.abc import Sequence
from functools import lru_cache

from service.domain.trial import Observation

PIECE = 256


def packed(seen: Sequence[Observation], pieces: tuple[bytes, ...] = ()) -> tuple[bytes, ...]:
    """All whole pieces of a history, of which some are packed already."""
    starts = range(len(pieces) * PIECE, len(seen) - PIECE + 1, PIECE)
    return (*pieces, *(pickle.dumps(tuple(seen[start : start + PIECE])) for start in starts))


def after(seen: tuple[Observation, ...], pieces: tuple[bytes, ...]) -> tuple[Observation, ...]:
    """What is in none of the pieces."""
    return seen[len(pieces) * PIECE :]


def unpacked(pieces: Sequence[bytes]) -> tuple[Observation, ...]:
    return tuple(seen for piece in pieces for seen in _unpacked(piece))


@lru_cache(maxsize=4_096)
def _unpacked(piece: bytes) -> tuple[Observation, ...]:
    # From the process of this program that packed it, and from nobody else.
    seen: tuple[Observation, ...] = pickle.loads(piece)  # noqa: S301
    return seen
