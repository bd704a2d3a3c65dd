"""The calls that train the best trials again, and that open the test set once."""

from fastapi import APIRouter, Response

from service.api.addresses import STUDY
from service.api.confirmation_views import confirmation_view, final_test_view
from service.api.mutation import Mutating
from service.api.reading import Reading, StudyKey
from service.api.strict_json import StrictRoute
from service.operations.confirm import Wanted, confirm, confirmation_of
from service.operations.final_test import ask_for_final_test, final_test_of
from service.protocol import Confirmation, ConfirmationRequest, FinalTest, FinalTestRequest

router = APIRouter(prefix=STUDY, tags=["confirmation"], route_class=StrictRoute)
BEST_FIVE, BEST_CONFIRMED = ConfirmationRequest(), FinalTestRequest()


@router.post("/confirmation", response_model=Confirmation)
async def confirm_best(study: StudyKey, mutating: Mutating, asked: ConfirmationRequest = BEST_FIVE) -> Response:
    """Train the best trials again with fresh seeds; asked again, only what is missing is added."""
    wanted = Wanted(asked.n, asked.seeds, asked.new_splits, asked.trials)
    return await mutating.answer(lambda store: confirmation_view(confirm(store, study, wanted)))


@router.get("/confirmation")
def confirmation(database: Reading, study: StudyKey) -> Confirmation:
    """What the repeats say so far: means with their 95% intervals, and who can be told apart from the winner."""
    return database.read(lambda store: confirmation_view(confirmation_of(store, store.studies.get(study))))


@router.post("/final-test", response_model=FinalTest)
async def ask_final_test(study: StudyKey, mutating: Mutating, asked: FinalTestRequest = BEST_CONFIRMED) -> Response:
    """Train the pick on training and validation data together and open the test set, once per study."""
    return await mutating.answer(lambda store: final_test_view(ask_for_final_test(store, study, asked.trial)))


@router.get("/final-test")
def final_test(database: Reading, study: StudyKey) -> FinalTest:
    """How the final test stands."""
    return database.read(lambda store: final_test_view(final_test_of(store, store.studies.get(study))))
