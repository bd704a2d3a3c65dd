"""The calls about studies: submit, list, control."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from client.transport import Transport
from service.protocol import StudyPage, StudyPatch, StudySpec, StudyView


def path_of(study: str) -> str:
    """Where a study answers, by id or name."""
    return f"/studies/{quote(study, safe='')}"


class StudyCalls:
    _transport: Transport

    def submit_study(self, spec: StudySpec | Mapping[str, Any]) -> StudyView:
        return self._transport.post("/studies", StudyView, spec)

    def study(self, study: str) -> StudyView:
        return self._transport.get(path_of(study), StudyView)

    def studies(
        self, *, status: str | None = None, tag: str | None = None, name: str | None = None
    ) -> Iterator[StudyView]:
        """All of them, page by page."""
        cursor: str | None = None
        while True:
            page = self._transport.get("/studies", StudyPage, status=status, tag=tag, name=name, cursor=cursor)
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return

    def pause(self, study: str) -> StudyView:
        return self._transport.post(f"{path_of(study)}/pause", StudyView)

    def resume(self, study: str) -> StudyView:
        return self._transport.post(f"{path_of(study)}/resume", StudyView)

    def stop(self, study: str) -> StudyView:
        return self._transport.post(f"{path_of(study)}/stop", StudyView)

    def patch(self, study: str, changes: StudyPatch) -> StudyView:
        return self._transport.patch(path_of(study), StudyView, changes)

    def clone(self, study: str, changes: Mapping[str, Any]) -> StudyView:
        """Another study with the same spec but for `changes`, which name it at least."""
        return self._transport.post(f"{path_of(study)}/clone", StudyView, changes)

    def delete(self, study: str) -> None:
        self._transport.delete(path_of(study))
