"""What every search algorithm in the registry promises."""

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.domain.space import Categorical, FloatRange, IntRange, Space, key_of
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.search import find, known
from service.search.base import Algorithm, Answer, Question
from service.search.packages import lack
from tests.contracts.spaces import finite_spaces, middle, seen, spaces


def where_available(algorithm: Algorithm[Any]) -> Any:
    """A case that is skipped, and says so, where the packages of the algorithm are missing."""
    sentence = lack(algorithm)
    return pytest.param(
        algorithm, id=algorithm.name, marks=pytest.mark.skipif(sentence is not None, reason=sentence or "")
    )


ALGORITHMS = [where_available(algorithm) for algorithm in known()]
every_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)
few = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

LR = FloatRange(low=1e-6, high=1e-2, scale="log")
BOX = Space(
    {
        "lr": LR,
        "layers": IntRange(low=1, high=6),
        "optimizer": Categorical(choices=["sgd", "adam", "momentum"]),
        "momentum": FloatRange(low=0.0, high=0.99, when={"optimizer": ["momentum"]}),
    }
)


def examples(algorithm: Algorithm[Any]) -> int:
    return 60 if algorithm.instant else 6


def ask(algorithm: Algorithm[Any], space: Space, count: int = 3, **more: Any) -> Answer:
    question = Question(**{"space": space, "goal": Goal.MAXIMIZE, "seed": 7, "number": 0, "planned": 20} | more)
    return algorithm.suggest(question, algorithm.Settings(), count)


def histories(space: Space) -> dict[str, tuple[Observation, ...]]:
    """A dozen trials with every kind of ending that a search could stumble over."""
    drawn = find("random")
    assert drawn is not None
    points = ask(drawn, space, 12).points
    status = [TrialStatus.COMPLETED, TrialStatus.FAILED, TrialStatus.PRUNED]
    return {
        "empty": (),
        "one trial": (seen(0, points[0], 0.5),),
        "one failed trial": (seen(0, points[0], None, TrialStatus.FAILED),),
        "all failed": tuple(seen(i, point, None, TrialStatus.FAILED) for i, point in enumerate(points)),
        "all equal": tuple(seen(i, point, 0.1) for i, point in enumerate(points)),
        "the same point again and again": tuple(seen(i, points[0], i / 9) for i in range(12)),
        "mixed": tuple(
            seen(i, point, None if i % 3 == 1 else float(i), status[i % 3]) for i, point in enumerate(points)
        ),
        "huge": tuple(seen(i, point, (-1.7e308, 1.7e308, 1.0)[i % 3]) for i, point in enumerate(points)),
        "one diverged": tuple(seen(i, point, -1e300 if i == 3 else i / 9) for i, point in enumerate(points)),
        "one not a number": tuple(seen(i, point, math.nan if i == 3 else i / 9) for i, point in enumerate(points)),
        "tiny": tuple(seen(i, point, i * 5e-324) for i, point in enumerate(points)),
    }


def assert_sound(space: Space, answer: Answer) -> None:
    for point in answer.points:
        assert space.faults(point) == []
        assert all(type(value) in (bool, int, float, str) for value in point.values())
        assert json.loads(json.dumps(point, allow_nan=False)) == point


@every_algorithm
def test_it_is_found_by_its_name_and_describes_itself(algorithm: Algorithm[Any]) -> None:
    assert find(algorithm.name) is algorithm
    assert algorithm.description.endswith(".")


def test_what_nobody_registered_is_not_found() -> None:
    assert find("no-such-algorithm") is None


@every_algorithm
def test_its_settings_have_a_schema_and_accept_their_defaults(algorithm: Algorithm[Any]) -> None:
    schema = algorithm.Settings.model_json_schema()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    defaults = algorithm.Settings().model_dump(mode="json")
    assert algorithm.Settings.model_validate(defaults) == algorithm.Settings()
    assert algorithm.faults(BOX, algorithm.Settings()) == []


@every_algorithm
def test_its_settings_take_nothing_unknown_convert_nothing_and_do_not_change(algorithm: Algorithm[Any]) -> None:
    with pytest.raises(ValidationError):
        algorithm.Settings(no_such_setting=1)
    with pytest.raises(ValidationError):
        algorithm.Settings().no_such_setting = 1
    for name, field in algorithm.Settings.model_fields.items():
        with pytest.raises(ValidationError):
            algorithm.Settings(**{name: "7"})
        with pytest.raises(ValidationError):
            algorithm.Settings(**{name: 1 if field.annotation is bool else True})
        with pytest.raises(ValidationError):
            algorithm.Settings(**{name: math.nan})


@every_algorithm
def test_points_keep_to_the_box_its_conditions_and_plain_values(algorithm: Algorithm[Any]) -> None:
    @settings(few, max_examples=examples(algorithm))
    @given(spaces(), st.integers(0, 2**53), st.integers(0, 10**7))
    def check(space: Space, seed: int, number: int) -> None:
        answer = ask(algorithm, space, 3, seed=seed, number=number)
        assert_sound(space, answer)
        capacity = algorithm.capacity(space, algorithm.Settings(), 20)
        assert len(answer.points) == 3 or (capacity is not None and capacity < 3)

    check()


@every_algorithm
def test_in_any_space_it_goes_on_from_what_was_tried(algorithm: Algorithm[Any]) -> None:
    @settings(few, max_examples=examples(algorithm))
    @given(spaces(), st.sampled_from(["mixed", "huge", "one diverged", "all equal"]))
    def check(space: Space, kind: str) -> None:
        history = histories(space)[kind]
        assert_sound(space, ask(algorithm, space, 2, history=history, pending=(middle(space),), number=12))

    check()


@every_algorithm
@pytest.mark.parametrize("name", histories(BOX))
def test_no_history_upsets_it(algorithm: Algorithm[Any], name: str) -> None:
    history = histories(BOX)[name]
    taken = frozenset(key_of(observation.params) for observation in history)
    for goal in Goal:
        answer = ask(algorithm, BOX, 2, history=history, taken=taken, number=len(history), goal=goal)
        assert len(answer.points) == 2
        assert_sound(BOX, answer)


@every_algorithm
@pytest.mark.parametrize("dimensions", [1, 2])
def test_however_many_run_a_continuum_always_has_another_point(algorithm: Algorithm[Any], dimensions: int) -> None:
    space = Space({f"p{index}": LR for index in range(dimensions)})
    drawn = find("random")
    assert drawn is not None
    points = ask(drawn, space, 46).points
    history = tuple(seen(i, point, sum(space.encode(point).values())) for i, point in enumerate(points[:14]))
    taken = frozenset(key_of(point) for point in points)
    answer = ask(algorithm, space, 4, history=history, pending=points[14:], taken=taken, number=46)
    assert len({key_of(point) for point in answer.points} - taken) == 4


@every_algorithm
def test_it_learns_from_trials_outside_the_box_but_stays_inside(algorithm: Algorithm[Any]) -> None:
    narrowed = BOX.with_ranges(
        {"lr": LR.within(1e-3, 1.1e-3), "layers": IntRange(low=2, high=3), "optimizer": Categorical(choices=["adam"])}
    )
    answer = ask(algorithm, narrowed, 3, history=histories(BOX)["mixed"], number=12)
    assert len(answer.points) == 3
    assert_sound(narrowed, answer)


@every_algorithm
@pytest.mark.parametrize("dimensions", [1, 20])
def test_it_searches_one_parameter_and_twenty(algorithm: Algorithm[Any], dimensions: int) -> None:
    space = Space({f"p{index}": LR for index in range(dimensions)})
    answer = ask(algorithm, space, 3, history=histories(space)["one diverged"], number=12)
    assert len(answer.points) == 3
    assert_sound(space, answer)


@every_algorithm
def test_asked_the_same_it_answers_the_same(algorithm: Algorithm[Any]) -> None:
    history = histories(BOX)["mixed"]
    pending = (middle(BOX),)
    asked = [ask(algorithm, BOX, 2, history=history, pending=pending, number=13) for _ in range(2)]
    assert asked[0] == asked[1]


@every_algorithm
def test_what_it_was_asked_between_changes_nothing(algorithm: Algorithm[Any]) -> None:
    history = histories(BOX)["mixed"]
    first = ask(algorithm, BOX, 2, history=history, number=12)
    ask(algorithm, BOX, 1, history=history[:7], number=7)
    ask(algorithm, BOX, 1, history=history, number=12, goal=Goal.MINIMIZE)
    assert ask(algorithm, BOX, 2, history=history, number=12) == first


@every_algorithm
def test_the_order_in_which_the_space_is_written_does_not_matter(algorithm: Algorithm[Any]) -> None:
    turned = Space(dict(reversed(BOX.parameters.items())))
    history = histories(BOX)["mixed"]
    assert ask(algorithm, BOX, 2, history=history, number=12) == ask(algorithm, turned, 2, history=history, number=12)


@every_algorithm
def test_another_process_gets_the_same_answer(algorithm: Algorithm[Any]) -> None:
    program = (
        "import sys; from service.search import find; from tests.contracts.test_every_search_algorithm import *; "
        "print(json.dumps(ask(find(sys.argv[1]), BOX, 2, history=histories(BOX)['mixed'], number=12).points))"
    )
    there = subprocess.run([sys.executable, "-c", program, algorithm.name], capture_output=True, text=True, check=True)
    here = ask(algorithm, BOX, 2, history=histories(BOX)["mixed"], number=12)
    assert json.loads(there.stdout) == list(here.points)


@every_algorithm
def test_a_space_that_it_can_exhaust_is_searched_to_the_end_and_no_further(algorithm: Algorithm[Any]) -> None:
    @settings(few, max_examples=examples(algorithm))
    @given(finite_spaces(), st.integers(1, 40))
    def check(space: Space, planned: int) -> None:
        capacity = algorithm.capacity(space, algorithm.Settings(), planned)
        if capacity is None:
            return
        answer = ask(algorithm, space, capacity + 1, planned=planned)
        assert_sound(space, answer)
        keys = {key_of(point) for point in answer.points}
        assert len(keys) == len(answer.points) == capacity
        assert ask(algorithm, space, 1, planned=planned, position=answer.position, taken=keys).points == ()

    check()


@every_algorithm
def test_an_algorithm_with_an_end_skips_points_that_are_taken(algorithm: Algorithm[Any]) -> None:
    space = Space({"n": IntRange(low=1, high=5)})
    if algorithm.capacity(space, algorithm.Settings(), 5) is None:
        return
    answer = ask(algorithm, space, 5, planned=5, taken={key_of({"n": 2}), key_of({"n": 5})})
    assert sorted(point["n"] for point in answer.points) == [1, 3, 4]


def test_importing_the_registry_does_not_import_the_slow_models() -> None:
    slow = {"skopt", "sklearn", "optuna", "cmaes", "torch"}
    program = f"import sys; from service.search import available; available(); print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
