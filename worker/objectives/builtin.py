"""The objectives that ship with the service."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import ValidationError

from service.protocol import ClaimedTrial
from trainer.objectives import Objective, Result, known
from worker.outcome import Unusable, Value
from worker.session import Session, drain

TEST_METRIC = "test_accuracy"
Curve: TypeAlias = Generator[dict[str, float], None, Result]


@dataclass(frozen=True, slots=True)
class Builtin:
    objective: Objective

    @property
    def name(self) -> str:
        return self.objective.name

    def run(self, trial: ClaimedTrial, session: Session) -> Value:
        if trial.purpose == "final_test":
            return _value_of(drain(self._final_test(trial), session), TEST_METRIC)
        curve = self.objective.train(self._settings(trial), seed=trial.seed, split_seed=trial.split_seed)
        return _value_of(drain(curve, session), trial.metric)

    def _final_test(self, trial: ClaimedTrial) -> Curve:
        ends = [epoch.model_dump() for epoch in trial.curve_ends]
        settings = self._settings(trial)
        return self.objective.final_test(settings, seed=trial.seed, split_seed=trial.split_seed, ends=ends)

    def _settings(self, trial: ClaimedTrial) -> object:
        try:
            return self.objective.Settings.model_validate({**trial.settings, **trial.params})
        except ValidationError as error:
            raise Unusable(f"{self.name} refuses its settings: {_sentence(error)}.") from error


def builtins() -> list[Builtin]:
    return [Builtin(objective) for objective in known()]


def _value_of(result: Result, metric: str) -> Value:
    if metric not in result.metrics:
        raise Unusable(f"The objective has no number named {metric!r}; it has {', '.join(result.metrics)}.")
    return Value(float(result.metrics[metric]), result.samples.get(metric), result.weights)


def _sentence(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False)
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in faults
    )
