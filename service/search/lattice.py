"""The distinct points of a grid over a space, each found from its index without listing the others."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from service.domain.space import Scalar, Space
from service.search.blocks import Block, independent_parts
from service.search.levels import most_levels

GOLDEN = (618_033_988_749_895, 10**15)


@dataclass(frozen=True)
class Lattice:
    """A grid: the product of its blocks."""

    names: tuple[str, ...]
    blocks: tuple[Block, ...]

    @classmethod
    def over(cls, names: Iterable[str], parts: Sequence[Space], levels: Mapping[str, int]) -> Self:
        """The grid of these levels over a space, given as its independent parts."""
        return cls(tuple(names), tuple(Block(part, levels) for part in parts))

    @cached_property
    def size(self) -> int:
        return math.prod(block.ends[-1] for block in self.blocks)

    def point(self, index: int) -> dict[str, Scalar]:
        """The point of an index below the size."""
        values: dict[str, Scalar] = {}
        for block in self.blocks:
            index, place = divmod(index, block.ends[-1])
            values |= block.point(place)
        return {name: values[name] for name in self.names if name in values}

    def walk(self, start: int = 0) -> Iterator[dict[str, Scalar]]:
        """Every point once, in an order of which every stretch covers the box about evenly."""
        stride = _stride(self.size)
        return (self.point(place * stride % self.size) for place in range(start, self.size))


def every_point(space: Space) -> Lattice | None:
    """The whole space as a lattice; None where a range is a continuum."""
    if space.count is None:
        return None
    levels = {name: most_levels(parameter) for name, parameter in space.parameters.items()}
    return Lattice.over(space.parameters, independent_parts(space), levels)


def _stride(size: int) -> int:
    """A step that meets every index once before any twice.

    Near the golden section of the size, because then the places taken so far always lie about
    evenly apart, wherever the walk ends.
    """
    stride = max(size * GOLDEN[0] // GOLDEN[1], 1)
    while math.gcd(stride, size) > 1:
        stride += 1
    return stride
