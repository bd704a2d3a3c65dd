"""The distinct points of parameters that conditions tie together, each found from its index."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from service.domain.space import Categorical, Parameter, Params, Scalar, Space, identity
from service.search.levels import level


@dataclass(frozen=True)
class Branch:
    """One way in which conditions can come out: values that are fixed, and parameters that take all levels but some."""

    fixed: Params
    free: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Block:
    """Parameters between which there are conditions; what happens in one block does not matter to another."""

    space: Space
    levels: Mapping[str, int]

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        return tuple(self._branch(tuple(name for name in self.space.order if name in self._asked), Branch({}, {})))

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """How many points the branches hold, up to and with each."""
        return tuple(
            accumulate(
                math.prod(self.levels[name] - len(skipped) for name, skipped in branch.free.items())
                for branch in self.branches
            )
        )

    def point(self, index: int) -> dict[str, Scalar]:
        """The point of an index below the last end."""
        place = bisect_right(self.ends, index)
        branch = self.branches[place]
        rest = index - (self.ends[place - 1] if place else 0)
        values = dict(branch.fixed)
        for name, skipped in branch.free.items():
            rest, step = divmod(rest, self.levels[name] - len(skipped))
            values[name] = self._level(name, _past(skipped, step))
        return values

    @cached_property
    def _asked(self) -> dict[str, list[Scalar]]:
        """The values that conditions ask for, by the parameter they ask."""
        asked: dict[str, list[Scalar]] = {}
        for parameter in self.space.parameters.values():
            for other, values in (parameter.when or {}).items():
                asked.setdefault(other, []).extend(values)
        return asked

    def _branch(self, deciding: Sequence[str], made: Branch) -> Iterator[Branch]:
        active = self.space.active(made.fixed)
        if not deciding:
            yield Branch(made.fixed, {**made.free, **dict.fromkeys(sorted(active - self._asked.keys()), ())})
        elif deciding[0] not in active:
            yield from self._branch(deciding[1:], made)
        else:
            yield from self._decide(deciding[0], deciding[1:], made)

    def _decide(self, name: str, later: Sequence[str], made: Branch) -> Iterator[Branch]:
        """One branch for each level that some condition asks for, and one for all others, which are alike to it."""
        steps = _steps(self.space.parameters[name], self.levels[name], self._asked[name])
        for step in steps:
            yield from self._branch(later, Branch({**made.fixed, name: self._level(name, step)}, made.free))
        if len(steps) < self.levels[name]:
            example = self._level(name, _past(steps, 0))
            yield from self._branch(later, Branch({**made.fixed, name: example}, {**made.free, name: steps}))

    def _level(self, name: str, step: int) -> Scalar:
        return level(self.space.parameters[name], self.levels[name], step)


def _steps(parameter: Parameter, levels: int, values: Sequence[Scalar]) -> list[int]:
    """The levels that have one of the values, in order."""
    wanted = {identity(value) for value in values}
    if isinstance(parameter, Categorical):
        return [step for step, choice in enumerate(parameter.choices) if identity(choice) in wanted]
    numbers = [float(value) for value in values if not isinstance(value, bool | str)]
    near = {
        bisect_left(range(levels), number, key=lambda step: float(level(parameter, levels, step))) for number in numbers
    }
    return sorted(step for step in near if step < levels and identity(level(parameter, levels, step)) in wanted)


def _past(skipped: Sequence[int], step: int) -> int:
    """The step-th of the levels that are not skipped."""
    for other in skipped:
        step += other <= step
    return step


def independent_parts(space: Space) -> tuple[Space, ...]:
    """The space in parts with no condition between them; whatever has no conditions at all is one part."""
    tied = space.ties
    loose = set(space.parameters).difference(*tied)
    parts = sorted(sorted(group) for group in [loose, *tied] if group)
    return tuple(Space({name: space.parameters[name] for name in part}) for part in parts)
