"""Checks a study against the settings of the objectives that ship with the server."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ValidationError

from service.domain.errors import Fault
from service.domain.space import Categorical, Parameter, Scalar, Space
from service.domain.study import Spec
from trainer import objectives


def objective_faults(spec: Spec) -> list[Fault]:
    """What a known objective does not accept; nothing is known of an external one."""
    objective = objectives.find(spec.objective.name)
    if objective is None:
        return []
    return [
        *_metric_faults(spec.metric.name, objective.metrics),
        *_settings_faults(objective.Settings, spec.objective.settings),
        *_space_faults(objective.Settings, spec.objective.settings, spec.space),
    ]


def _metric_faults(metric: str, known: tuple[str, ...]) -> Iterator[Fault]:
    if metric not in known:
        yield Fault("metric.name", f"must be one of {', '.join(known)}, got {metric!r}")


def _settings_faults(model: type[BaseModel], settings: Mapping[str, object]) -> Iterator[Fault]:
    try:
        model.model_validate(dict(settings))
    except ValidationError as error:
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"])
            yield Fault(f"objective.settings.{place}".rstrip("."), _sentence(fault["msg"], model))


def _space_faults(model: type[BaseModel], settings: Mapping[str, object], space: Space) -> Iterator[Fault]:
    for name, parameter in space.parameters.items():
        if name not in model.model_fields:
            yield Fault(f"space.{name}", f"is no setting of this objective; it has {', '.join(model.model_fields)}")
            continue
        for end, value in _extremes(parameter):
            if fault := _refused(model, settings, name, value):
                yield Fault(f"space.{name}.{end}", fault)


def _extremes(parameter: Parameter) -> list[tuple[str, Scalar]]:
    if isinstance(parameter, Categorical):
        return [("choices", choice) for choice in parameter.choices]
    return [("low", parameter.low), ("high", parameter.high)]


def _refused(model: type[BaseModel], settings: Mapping[str, object], name: str, value: Scalar) -> str | None:
    try:
        model.model_validate({**settings, name: value})
    except ValidationError as error:
        about = [fault["msg"] for fault in error.errors() if not fault["loc"] or fault["loc"][0] == name]
        return f"{value!r} is not possible: {about[0]}" if about else None
    return None


def _sentence(message: str, model: type[BaseModel]) -> str:
    if message.startswith("Extra inputs"):
        return f"is no setting of this objective; it has {', '.join(model.model_fields)}"
    return message.removeprefix("Value error, ")
