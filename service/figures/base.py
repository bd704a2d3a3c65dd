"""What a figure is: a name, what it needs, and how it is drawn."""

from typing import TYPE_CHECKING, Protocol

from service.domain.study import Study
from service.storage.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


class Figure(Protocol):
    """One figure of a study."""

    name: str

    def draw(self, store: Store, study: Study) -> "Drawing": ...
