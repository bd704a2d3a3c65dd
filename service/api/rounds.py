"""The calls on the ranges of a study: what the evidence says, and which are in force."""

from fastapi import APIRouter, Response

from service.api.addresses import STUDY
from service.api.mutation import Mutating
from service.api.reading import Reading, StudyKey
from service.api.strict_json import StrictRoute
from service.api.views import narrowing_view, round_view
from service.domain.rounds import Round
from service.domain.study import Plan
from service.operations.given_ranges import GivenRange
from service.operations.narrow import judge_ranges
from service.operations.open_round import open_by_policy, open_given, open_proposed, undo_round
from service.protocol import Narrowing, RoundList, RoundRequest, RoundView
from service.storage.store import Store

router = APIRouter(prefix=STUDY, tags=["rounds"], route_class=StrictRoute)


@router.get("/narrowing")
def narrowing(database: Reading, study: StudyKey) -> Narrowing:
    """What the finished trials say of each range: keep, narrow or widen, and why."""
    return database.read(lambda store: narrowing_view(judge_ranges(store, store.studies.get(study))))


@router.get("/rounds")
def rounds(database: Reading, study: StudyKey) -> RoundList:
    """All rounds with their evidence."""

    def read(store: Store) -> RoundList:
        return RoundList(items=[round_view(one) for one in store.rounds.all(store.studies.get(study).id)])

    return database.read(read)


@router.post("/rounds", status_code=201, response_model=RoundView)
async def open_round(study: StudyKey, wanted: RoundRequest, mutating: Mutating) -> Response:
    """Open a round from the proposal, from a policy, from ranges given by hand, or undo the one in force."""
    return await mutating.answer(lambda store: round_view(_opened(store, study, wanted)), 201)


def _opened(store: Store, name: str, wanted: RoundRequest) -> Round:
    study = store.studies.get(name, lock=True)
    if wanted.ranges is not None:
        given = {name: GivenRange(one.low, one.high, one.choices) for name, one in wanted.ranges.items()}
        return open_given(store, study, given)
    if wanted.policy is not None:
        return open_by_policy(store, study, Plan(policy=wanted.policy, settings=wanted.settings))
    return undo_round(store, study) if wanted.from_ == "undo" else open_proposed(store, study)
