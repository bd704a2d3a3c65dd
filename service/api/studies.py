"""The calls on studies."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from service.api.addresses import STUDIES
from service.api.mutation import Mutating
from service.api.reading import (
    Cursor,
    Limit,
    Reading,
    StudyKey,
    Word,
    cut,
    moment,
    read_cursor,
    shown,
    study_id,
    write_cursor,
)
from service.api.strict_json import StrictRoute
from service.api.views import study_view
from service.domain.status import StudyStatus
from service.domain.study import Study
from service.operations import control
from service.operations.change import change_study
from service.operations.show import show_studies, show_study
from service.operations.submit import submit_study
from service.protocol import MAX_PAGE, StudyPage, StudyPatch, StudySpec, StudyView
from service.storage.store import Store
from service.storage.studies import StudyFilter

router = APIRouter(prefix=STUDIES, tags=["studies"], route_class=StrictRoute)


CAN_BE_TAKEN_AWAY = ("narrowing", "pruning")


def _shown(store: Store, study: Study) -> StudyView:
    return study_view(show_study(store, study), store.now)


def _location(view: BaseModel) -> str:
    assert isinstance(view, StudyView)
    return f"{STUDIES}/{view.id}"


@router.post("", status_code=201, response_model=StudyView)
async def submit(spec: StudySpec, mutating: Mutating) -> Response:
    """Submit a study."""
    submitted = spec.model_dump(mode="json")
    return await mutating.answer(lambda store: _shown(store, submit_study(store, submitted)), 201, _location)


@router.get("", response_model=StudyPage)
def studies(
    database: Reading,
    status: StudyStatus | None = None,
    tag: Word = None,
    name: Word = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List studies, oldest first."""
    after = read_cursor(cursor, (moment, study_id))
    limit = min(limit, MAX_PAGE)

    def read(store: Store) -> StudyPage:
        found = store.studies.page(StudyFilter(status, tag, name), after, limit + 1)
        page, following = cut(found, limit, lambda study: write_cursor(study.created_at.isoformat(), study.id))
        return StudyPage(items=[study_view(one, store.now) for one in show_studies(store, page)], next_cursor=following)

    return shown(database.read(read))


@router.get("/{study}", response_model=StudyView)
def study(database: Reading, study: StudyKey) -> Response:
    """One study, by id or name."""
    return shown(database.read(lambda store: _shown(store, store.studies.get(study))))


@router.post("/{study}/pause", response_model=StudyView)
async def pause(study: StudyKey, mutating: Mutating) -> Response:
    """Hand out no more trials until the study is resumed."""
    return await mutating.answer(lambda store: _shown(store, control.pause_study(store, study)))


@router.post("/{study}/resume", response_model=StudyView)
async def resume(study: StudyKey, mutating: Mutating) -> Response:
    """Hand out trials again."""
    return await mutating.answer(lambda store: _shown(store, control.resume_study(store, study)))


@router.post("/{study}/stop", response_model=StudyView)
async def stop(study: StudyKey, mutating: Mutating) -> Response:
    """End the study for good."""
    return await mutating.answer(lambda store: _shown(store, control.stop_study(store, study)))


@router.patch("/{study}", response_model=StudyView)
async def patch(study: StudyKey, changes: StudyPatch, mutating: Mutating) -> Response:
    """Raise or lower the budget, go on with another search or rule, change description and tags."""

    def work(store: Store) -> StudyView:
        found = store.studies.get(study, lock=True)
        merged = _merged(json.loads(found.submitted), changes)
        return _shown(store, change_study(store, found, _checked(merged)))

    return await mutating.answer(work)


@router.delete("/{study}", status_code=204, response_class=Response)
async def delete(study: StudyKey, mutating: Mutating) -> Response:
    """Forget a study that is not running, with all its trials."""
    return await mutating.answer(lambda store: control.delete_study(store, study), 204)


@router.post("/{study}/clone", status_code=201, response_model=StudyView)
async def clone(study: StudyKey, changes: Annotated[dict[str, Any], Body()], mutating: Mutating) -> Response:
    """Submit another study like this one, with changes to its specification; a new name is needed."""

    def work(store: Store) -> StudyView:
        original = json.loads(store.studies.get(study).submitted)
        spec = _checked({**original, "name": None, **changes})
        return _shown(store, submit_study(store, spec))

    return await mutating.answer(work, 201, _location)


def _merged(submitted: dict[str, Any], changes: StudyPatch) -> dict[str, Any]:
    said = changes.model_dump(mode="json", exclude_unset=True)
    kept = {field: value for field, value in said.items() if value is not None or field in CAN_BE_TAKEN_AWAY}
    for merged in said.keys() & {"budget", "search"}:
        kept[merged] = {**submitted[merged], **(said[merged] or {})}
    if changes.search is not None:
        kept["search"]["settings"] = dict(changes.search.settings)
    return {**submitted, **kept}


def _checked(submitted: dict[str, Any]) -> dict[str, Any]:
    try:
        return StudySpec.model_validate(submitted).model_dump(mode="json")
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error
