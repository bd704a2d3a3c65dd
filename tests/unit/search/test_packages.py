"""Algorithms whose packages are missing: known by name, not offered, and refused with the way out."""

from importlib.machinery import ModuleSpec

import pytest

from service import search
from service.operations.describe import search_algorithms
from service.search import packages


@pytest.fixture
def without_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(package: str) -> ModuleSpec | None:
        return None if package in {"optuna", "cmaes", "torch"} else ModuleSpec(package, None)

    monkeypatch.setattr(packages, "find_spec", found)


def lack(name: str) -> str | None:
    algorithm = search.find(name)
    assert algorithm is not None
    return packages.lack(algorithm)


@pytest.mark.usefixtures("without_extras")
@pytest.mark.parametrize("name", ["tpe", "cmaes", "gp"])
def test_one_that_lacks_packages_is_known_but_not_offered(name: str) -> None:
    assert name in {algorithm.name for algorithm in search.known()}
    assert name not in {algorithm.name for algorithm in search.available()}
    assert name not in {description.name for description in search_algorithms()}


@pytest.mark.usefixtures("without_extras")
def test_the_sentence_names_what_is_missing_and_how_to_get_it() -> None:
    assert lack("tpe") == (
        "'tpe' needs optuna, which this server does not have; "
        "where it runs: pip install 'shibori[optuna]', then start it again"
    )
    assert "needs optuna and cmaes" in str(lack("cmaes"))
    assert "pip install 'shibori[optuna]' torch" in str(lack("gp"))


@pytest.mark.usefixtures("without_extras")
@pytest.mark.parametrize("name", ["random", "sobol", "grid", "bayesian"])
def test_the_others_need_nothing_more(name: str) -> None:
    assert lack(name) is None


def test_with_its_packages_one_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda package: ModuleSpec(package, None))
    assert search.available() == search.known()
