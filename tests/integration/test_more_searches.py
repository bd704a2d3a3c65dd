"""Studies whose search looks back only with some settings, or needs packages that a server may lack."""

from importlib.machinery import ModuleSpec

import pytest

from service.search import packages
from tests.integration.harness import Api, ok, refused, spec

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")

AROUND = {"algorithm": "grid", "seed": 7, "settings": {"around": {"random": 4, "every": 4, "top": 1, "margin": 0.01}}}


def test_a_grid_around_the_leaders_is_made_beside_claims_from_what_has_finished(api: Api) -> None:
    api.submit(search=AROUND, budget={"trials": 8})
    assert api.claim() == []
    tried = []
    for value in (0.1, 0.9, 0.3, 0.2, 0.4, 0.4, 0.4, 0.4):
        api.suggest()
        claimed = api.claim_one()
        tried.append(claimed["params"]["lr"])
        ok(api.complete(claimed, value))
    best = tried[1]
    assert all(best / 1.2 < lr < best * 1.2 for lr in tried[4:])
    assert len(set(tried)) == 8
    assert api.show()["status"] == "completed"


def test_settings_around_leaders_that_contradict_each_other_are_refused(api: Api) -> None:
    search = {"algorithm": "grid", "settings": {"levels": 3, "around": {"random": 2, "top": 5}}}
    document = refused(api.post("/studies", spec(search=search)), 422, "invalid-input")
    assert {fault["field"] for fault in document["errors"]} == {"search.settings.levels", "search.settings.around.top"}


def test_a_search_whose_packages_are_missing_is_not_listed_and_refused_with_the_way_out(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "optuna" else ModuleSpec(name, None))
    assert "tpe" not in {one["name"] for one in ok(api.get("/algorithms"))["search"]}
    document = refused(api.post("/studies", spec(search={"algorithm": "tpe"})), 422, "invalid-input")
    ((field, sentence),) = [(fault["field"], fault["message"]) for fault in document["errors"]]
    assert field == "search.algorithm"
    assert "pip install 'shibori[optuna]'" in sentence


def test_a_study_is_searched_by_a_sampler_of_optuna_and_its_trials_say_with_which_version(api: Api) -> None:
    optuna = pytest.importorskip("optuna", reason="Optuna is not installed: its searches are not tested")
    api.submit(search={"algorithm": "tpe", "seed": 7, "settings": {"n_startup_trials": 2}}, budget={"trials": 5})
    for value in (0.1, 0.5, 0.3, 0.2, 0.4):
        api.suggest()
        ok(api.complete(api.claim_one(), value))
    assert api.counts() == {"completed": 5}
    assert api.trial(4)["provenance"]["versions"]["optuna"] == optuna.__version__
