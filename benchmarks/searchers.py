"""Searches that are asked and told one trial at a time: this service's, Optuna's and scikit-optimize's."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from benchmarks.problems import Problem
from service.domain.space import Categorical, Numeric, Params, PointKey, Scalar, Space, key_of
from service.domain.status import TrialStatus
from service.domain.trial import Observation
from service.search import find
from service.search.base import Question

PLANNED = 100
Tried: TypeAlias = tuple[Params, float | None]


class Searcher(Protocol):
    """Handles each trial by what `ask` called it; a value of None is a trial that failed."""

    def ask(self) -> tuple[Any, Params]: ...

    def tell(self, trial: Any, value: float | None) -> None: ...

    def learn(self, trials: Sequence[Tried]) -> None:
        """Be told many trials of other origin at once."""


@dataclass
class Ours:
    """An algorithm of the registry, with its default settings."""

    algorithm: str
    problem: Problem
    seed: int
    pending: dict[int, Params] = field(default_factory=dict)
    history: list[Observation] = field(default_factory=list)
    taken: set[PointKey] = field(default_factory=set)

    def ask(self) -> tuple[int, Params]:
        algorithm = find(self.algorithm)
        assert algorithm is not None
        question = Question(
            space=self.problem.space,
            goal=self.problem.goal,
            seed=self.seed,
            number=len(self.history) + len(self.pending),
            planned=PLANNED,
            history=tuple(self.history),
            pending=tuple(self.pending.values()),
            taken=self.taken,
        )
        (params,) = algorithm.suggest(question, algorithm.Settings(), 1).points
        self.pending[question.number] = params
        self.taken.add(key_of(params))
        return question.number, params

    def tell(self, trial: int, value: float | None) -> None:
        status = TrialStatus.FAILED if value is None else TrialStatus.COMPLETED
        self.history.append(Observation(number=trial, params=self.pending.pop(trial), status=status, value=value))

    def learn(self, trials: Sequence[Tried]) -> None:
        for params, value in trials:
            number = len(self.history)
            self.pending[number] = params
            self.tell(number, value)
            self.taken.add(key_of(params))


@dataclass
class Penalties:
    """Gives failed trials the worst value that has finished: both peers would otherwise learn nothing from them."""

    tell: Callable[[Any, float], None]
    worst: float | None = None
    waiting: list[Any] = field(default_factory=list)

    def __call__(self, trial: Any, loss: float | None) -> None:
        if loss is None and self.worst is None:
            self.waiting.append(trial)
            return
        self.worst = max(loss for loss in (loss, self.worst) if loss is not None)
        for failed in self.waiting:
            self.tell(failed, self.worst)
        self.waiting.clear()
        self.tell(trial, self.worst if loss is None else loss)


class Optuna:
    """A study whose trials are asked for parameter by parameter, so that conditions are known to it."""

    def __init__(self, problem: Problem, sampler: Any) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._problem = problem
        self._study = optuna.create_study(sampler=sampler)
        self._tell = Penalties(lambda trial, loss: self._study.tell(trial, loss))

    def ask(self) -> tuple[Any, Params]:
        trial = self._study.ask()
        return trial, defined_by_run(self._problem.space, lambda name, one: _suggest(trial, name, one))

    def tell(self, trial: Any, value: float | None) -> None:
        self._tell(trial, None if value is None else -self._problem.goal.better(value))

    def learn(self, trials: Sequence[Tried]) -> None:
        from optuna.trial import create_trial

        for params, value in trials:
            assert value is not None, "only problems without failures are learnt from at once"
            told = {name: _distribution(self._problem.space.parameters[name]) for name in params}
            loss = -self._problem.goal.better(value)
            self._study.add_trial(create_trial(params=dict(params), distributions=told, value=loss))


def defined_by_run(space: Space, choose: Callable[[str, Numeric | Categorical], Scalar]) -> dict[str, Scalar]:
    """Values chosen one by one, of the active parameters alone."""
    params: dict[str, Scalar] = {}
    for name in space.order:
        if name in space.active({**params, name: 0}):
            params[name] = choose(name, space.parameters[name])
    return params


def _distribution(parameter: Numeric | Categorical) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(parameter, Categorical):
        return CategoricalDistribution(parameter.choices)
    kind = IntDistribution if parameter.type == "int" else FloatDistribution
    return kind(parameter.low, parameter.high, log=parameter.scale == "log")


def _suggest(trial: Any, name: str, parameter: Numeric | Categorical) -> Any:
    if isinstance(parameter, Categorical):
        return trial.suggest_categorical(name, parameter.choices)
    suggest = trial.suggest_int if parameter.type == "int" else trial.suggest_float
    return suggest(name, parameter.low, parameter.high, log=parameter.scale == "log")


class Skopt:
    """scikit-optimize's own loop; its space is flat, and what is not active there is left out of the trial."""

    def __init__(self, problem: Problem, seed: int) -> None:
        from skopt import Optimizer

        self._problem, self._names = problem, sorted(problem.space.parameters)
        dimensions = [_dimension(problem.space.parameters[name]) for name in self._names]
        self._optimizer = Optimizer(dimensions, base_estimator="GP", acq_func="EI", random_state=seed)
        self._tell = Penalties(self._optimizer.tell)

    def ask(self) -> tuple[Any, Params]:
        row = self._quietly(self._optimizer.ask)
        values = {name: _plain(value) for name, value in zip(self._names, row, strict=True)}
        return row, defined_by_run(self._problem.space, lambda name, _: values[name])

    def tell(self, trial: Any, value: float | None) -> None:
        self._quietly(lambda: self._tell(trial, None if value is None else -self._problem.goal.better(value)))

    def learn(self, trials: Sequence[Tried]) -> None:
        space = self._problem.space
        middle = {name: parameter.from_unit(0.5) for name, parameter in space.parameters.items()}
        rows = [[(middle | dict(params))[name] for name in self._names] for params, _ in trials]
        losses = [-self._problem.goal.better(value) for _, value in trials if value is not None]
        self._quietly(lambda: self._optimizer.tell(rows, losses))

    def _quietly(self, call: Callable[[], Any]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()


def _plain(value: Any) -> Scalar:
    """NumPy's numbers as Python's."""
    scalar: Scalar = value.item() if hasattr(value, "item") else value
    return scalar


def _dimension(parameter: Numeric | Categorical) -> Any:
    from skopt.space import Categorical as Choice
    from skopt.space import Integer, Real

    if isinstance(parameter, Categorical):
        return Choice(list(parameter.choices))
    kind = Integer if parameter.type == "int" else Real
    return kind(parameter.low, parameter.high, prior="log-uniform" if parameter.scale == "log" else "uniform")


def optuna_gp(problem: Problem, seed: int) -> Searcher:
    from optuna.samplers import GPSampler

    return Optuna(problem, GPSampler(seed=seed, warn_independent_sampling=False))


def optuna_tpe(problem: Problem, seed: int) -> Searcher:
    from optuna.samplers import TPESampler

    return Optuna(problem, TPESampler(seed=seed))


SEARCHERS: dict[str, Callable[[Problem, int], Searcher]] = {
    "bayesian": lambda problem, seed: Ours("bayesian", problem, seed),
    "skopt EI": Skopt,
    "Optuna GP": optuna_gp,
    "Optuna TPE": optuna_tpe,
}
