"""Many studies that are done cost a claim nothing, and many that run hold up nobody."""

from service.suggesting import SearchProcess, Suggester
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


def test_the_suggester_rests_after_each_study_that_it_looks_at_and_looks_at_none_in_vain(api: Api) -> None:
    rests: list[None] = []
    with SearchProcess() as process:
        suggester = Suggester(
            api.app.state.database, process, lambda: True, lambda *_: None, lambda: rests.append(None)
        )
        for name in ("a", "b", "c"):
            api.submit(name)
        suggester.suggest_for_all()
        assert len(rests) == 3
        suggester.suggest_for_all()
        assert len(rests) == 3
