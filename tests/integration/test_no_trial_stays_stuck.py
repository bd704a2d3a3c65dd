"""Trials that could have waited for ever: what the state machines and the soak have found, each by itself."""

import pytest

from tests.integration.harness import Api, ok

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")

MODELLED = {"algorithm": "bayesian", "seed": 1, "settings": {"initial": 100}}
NARROWER = {"ranges": {"lr": {"low": 1e-3, "high": 1e-1}}}


def test_a_suggestion_of_an_earlier_round_that_is_cancelled_and_tried_again_is_given_out(api: Api) -> None:
    api.submit(search=MODELLED, budget={"trials": 2})
    api.suggest()
    ok(api.post("/studies/study/rounds", NARROWER), 201)
    ok(api.post("/studies/study/trials/0/cancel"))
    revived = ok(api.post("/studies/study/trials/0/retry"))
    claimed = api.claim_one()
    assert (claimed["number"], claimed["params"]) == (0, revived["params"])
