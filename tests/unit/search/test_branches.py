"""Other choices than the best point's: which there are, and where each is made."""

import numpy as np

from service.domain.space import Categorical, FloatRange, IntRange, Space
from service.search.branches import Branch, other_branches
from service.search.features import Features
from service.search.tried import Tried

FEATURES = Features.spanning(
    Space(
        {
            "act": Categorical(choices=["relu", "tanh"], when={"model": ["net"]}),
            "lr": FloatRange(low=0, high=1, when={"act": ["tanh"]}),
            "model": Categorical(choices=["svm", "forest", "net"]),
            "trees": IntRange(low=1, high=3, when={"model": ["forest"]}),
        }
    ),
    [],
)
SVM, NET = np.array([0.5, 0.5, 0.1, 0.5]), np.array([0.1, 0.5, 0.9, 0.5])
ACT, MODEL = 0, 2


def test_the_other_choices_are_those_of_parameters_that_have_a_say() -> None:
    assert other_branches(FEATURES, SVM) == [Branch(MODEL, 1), Branch(MODEL, 2)]
    assert other_branches(FEATURES, NET) == [Branch(ACT, 1), Branch(MODEL, 0), Branch(MODEL, 1)]


def test_at_every_point_of_its_region_the_choice_is_made() -> None:
    region = Branch(ACT, 1).around(FEATURES, NET)
    points = FEATURES.columns(region.drawn(50, np.random.default_rng(0)))
    assert Branch(ACT, 1).made(FEATURES, points).all()
    assert not Branch(ACT, 0).made(FEATURES, points).any()
    assert len(np.unique(points[:, np.searchsorted(FEATURES.groups, 1)])) == 50


def test_the_best_of_a_choice_is_the_best_of_those_where_it_was_made() -> None:
    params = [{"model": "svm"}, {"model": "forest", "trees": 1}, {"model": "forest", "trees": 3}]
    tried = Tried(FEATURES, params, FEATURES.rows(params), np.array([0.9, 0.1, 0.2]))
    forests = tried.of(Branch(MODEL, 1))
    assert (tried.best, forests.best) == (0.9, 0.2)
    assert forests.leaders[:, MODEL].tolist() == [0.5, 0.5]
    assert tried.of(Branch(MODEL, 2)).best == 0.9
