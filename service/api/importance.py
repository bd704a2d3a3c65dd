"""The call that says which parameters of a study matter."""

from fastapi import APIRouter

from service.api.addresses import STUDY
from service.api.computing import Computing
from service.api.reading import Reading, StudyKey
from service.api.strict_json import StrictRoute
from service.importance.judge import METHOD, Weight, judge
from service.operations.importance import plan_importance
from service.protocol import Importance, ParameterImportance

router = APIRouter(prefix=STUDY, tags=["studies"], route_class=StrictRoute)


@router.get("/importance")
def importance(process: Computing, database: Reading, study: StudyKey) -> Importance:
    """Say of each parameter how much it matters, or that it is not told apart from noise.

    All finished search trials count: failed ones as the worst that finished, pruned ones at their
    last value. Of more than 1,000, or of fewer where there are more than 15 parameters, some are
    drawn; `trials` says how many were.
    """
    asked = database.read(lambda store: plan_importance(store, store.studies.get(study)))
    told = process.call(judge, asked.space, asked.history, asked.goal, asked.seed)
    parameters = {name: _view(weight) for name, weight in told.parameters.items()}
    return Importance(study=asked.study, trials=told.trials, method=METHOD, parameters=parameters)


def _view(weight: Weight) -> ParameterImportance:
    return ParameterImportance(
        importance=weight.importance,
        alone=weight.alone,
        p_value=weight.p_value,
        matters=weight.matters,
        reason=weight.reason,
    )
