"""How many trials of a study there are in each status, which not every request wants to know."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from service.domain.status import TrialStatus


class CountsWhenAsked(Mapping[TrialStatus, int]):
    """Counts that are read when the first of them is asked for: most requests go by without one."""

    def __init__(self, read: Callable[[], Mapping[TrialStatus, int]]) -> None:
        self._read = read

    def __getitem__(self, status: TrialStatus) -> int:
        return self._counts[status]

    def __iter__(self) -> Iterator[TrialStatus]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    @cached_property
    def _counts(self) -> Mapping[TrialStatus, int]:
        return self._read()
