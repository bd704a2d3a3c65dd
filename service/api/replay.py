"""The call that computes a past suggestion again."""

from fastapi import APIRouter

from service.api.addresses import STUDY
from service.api.computing import Computing
from service.api.reading import Reading, StudyKey, TrialNumber
from service.api.strict_json import StrictRoute
from service.operations.draw import versions
from service.operations.replay import plan_replay
from service.protocol import Replay

router = APIRouter(prefix=STUDY, tags=["trials"], route_class=StrictRoute)


@router.get("/trials/{number}/replay")
def replay(process: Computing, database: Reading, study: StudyKey, number: TrialNumber) -> Replay:
    """Ask for the values of a suggested trial again, with what was known then, and say if they are equal."""
    past = database.read(lambda store: plan_replay(store, study, number))
    points = process.ask(past.algorithm, past.question, past.settings, past.place + 1).points
    replayed = points[past.place] if past.place < len(points) else None
    return Replay(
        study=past.trial.study_id,
        trial=number,
        params=dict(past.trial.params),
        replayed=replayed,
        equal=replayed == past.trial.params,
        provenance=dict(past.trial.provenance or {}),
        versions=versions(past.algorithm),
    )
