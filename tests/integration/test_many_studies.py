"""Many studies that are done cost a claim nothing."""

from tests.integration.harness import Api, ok
from tests.integration.statements import recorded


def test_a_claim_looks_into_no_study_that_has_nothing_for_it(api: Api) -> None:
    for number in range(20):
        api.submit(f"done-{number}", budget={"trials": 1})
        api.run([0.5])
    api.submit("open", budget={"trials": 9})
    with recorded() as sent:
        claimed = api.claim_one()
    assert claimed["study_name"] == "open"
    assert 0 < len(sent) < 30
    ok(api.complete(claimed))
