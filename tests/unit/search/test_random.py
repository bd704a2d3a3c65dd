"""Random search: uniform on the scales, each trial from its number alone."""

import numpy as np

from service.domain.space import Categorical, FloatRange, IntRange, Space
from service.domain.trial import Goal
from service.search.base import Question
from service.search.random import ALGORITHM, RandomSettings

SPACE = Space(
    {
        "lr": FloatRange(low=1e-6, high=1e-2, scale="log"),
        "n": IntRange(low=1, high=4),
        "act": Categorical(choices=["relu", "tanh"]),
    }
)


def drawn(number: int, count: int, seed: int = 0) -> tuple[dict[str, object], ...]:
    question = Question(space=SPACE, goal=Goal.MAXIMIZE, seed=seed, number=number, planned=1)
    return ALGORITHM.suggest(question, RandomSettings(), count).points  # type: ignore[return-value]


def test_a_trial_gets_the_same_point_whatever_was_asked_before() -> None:
    assert drawn(0, 10)[7:] == drawn(7, 3)


def test_trials_and_seeds_get_points_of_their_own() -> None:
    points = [str(point) for seed in (0, 1, 2**53) for point in drawn(0, 100, seed)]
    assert len(set(points)) == 300


def test_draws_are_uniform_on_the_scale_of_each_range() -> None:
    points = drawn(0, 4000)
    decades = np.histogram([np.log10(float(point["lr"])) for point in points], bins=4, range=(-6, -2))[0]  # type: ignore[arg-type]
    assert all(abs(count - 1000) < 130 for count in decades)
    assert all(abs(sum(point["n"] == n for point in points) - 1000) < 130 for n in (1, 2, 3, 4))
    assert abs(sum(point["act"] == "relu" for point in points) - 2000) < 160
