from statistics import mean

import numpy as np

from service.domain.space import FloatRange, Space
from service.domain.trial import Goal
from service.search.base import Question
from service.search.random import ALGORITHM as RANDOM
from service.search.sobol import ALGORITHM, SobolSettings

BOX = Space({"lr": FloatRange(low=1e-6, high=1e-2, scale="log"), "x": FloatRange(low=-1.0, high=1.0)})


def points(count: int, *, number: int = 0, seed: int = 0) -> list[dict[str, object]]:
    question = Question(space=BOX, goal=Goal.MAXIMIZE, seed=seed, number=number, planned=count)
    return [dict(point) for point in ALGORITHM.suggest(question, SobolSettings(), count).points]


def discrepancy(seed: int, algorithm: object, settings: object) -> float:
    from scipy.stats import qmc

    question = Question(space=BOX, goal=Goal.MAXIMIZE, seed=seed, number=0, planned=64)
    answer = algorithm.suggest(question, settings, 64)  # type: ignore[attr-defined]
    return float(qmc.discrepancy(np.array([list(BOX.encode(point).values()) for point in answer.points])))


def test_it_covers_the_box_more_evenly_than_chance() -> None:
    even = mean(discrepancy(seed, ALGORITHM, SobolSettings()) for seed in range(10))
    chance = mean(discrepancy(seed, RANDOM, RANDOM.Settings()) for seed in range(10))
    assert even < chance / 5


def test_every_part_of_sixteen_on_each_axis_gets_one_of_the_first_sixteen_points() -> None:
    first = [BOX.encode(point) for point in points(16)]  # type: ignore[arg-type]
    for name in BOX.parameters:
        assert sorted(int(unit[name] * 16) for unit in first) == list(range(16))


def test_what_is_asked_in_parts_is_what_is_asked_at_once_and_seeds_differ() -> None:
    assert points(3) + points(5, number=3) == points(8)
    assert points(8, seed=1) != points(8)
