"""Checks a study against the settings of the objectives that ship with the server."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from service.domain.errors import Fault
from service.domain.space import Categorical, Limit, Parameter, Scalar, Space
from service.domain.study import Spec
from service.operations.settings_check import not_a_setting, settings_faults
from trainer import objectives


def objective_faults(spec: Spec) -> list[Fault]:
    """What a known objective does not accept; nothing is known of an external one."""
    objective = objectives.find(spec.objective.name)
    if objective is None:
        return []
    wrong = list(settings_faults(objective.Settings, spec.objective.settings, "objective.settings"))
    return [
        *_metric_faults(spec.metric.name, objective.metrics),
        *(wrong or _space_faults(objective.Settings, spec.objective.settings, spec.space)),
    ]


def within_objective(name: str, space: Space) -> Space:
    """The space with limits beyond which a known objective takes no value."""
    objective = objectives.find(name)
    if objective is None:
        return space
    bounds = objective.Settings.model_json_schema()["properties"]
    return Space({name: _limited(parameter, bounds.get(name, {})) for name, parameter in space.parameters.items()})


def _limited(parameter: Parameter, schema: Mapping[str, Any]) -> Parameter:
    if isinstance(parameter, Categorical):
        return parameter
    limit = parameter.limit or Limit()
    numbers = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    lows = [limit.low, numbers.get("minimum"), _next_to(numbers.get("exclusiveMinimum"), math.inf)]
    highs = [limit.high, numbers.get("maximum"), _next_to(numbers.get("exclusiveMaximum"), -math.inf)]
    low = max((low for low in lows if low is not None and (low > 0 or parameter.scale == "linear")), default=None)
    high = min((high for high in highs if high is not None), default=None)
    return replace(parameter, limit=Limit(low=low, high=high))


def _next_to(bound: float | None, towards: float) -> float | None:
    return None if bound is None else math.nextafter(bound, towards)


def _metric_faults(metric: str, known: tuple[str, ...]) -> Iterator[Fault]:
    if metric not in known:
        yield Fault("metric.name", f"must be one of {', '.join(known)}, got {metric!r}")


def _space_faults(model: type[BaseModel], settings: Mapping[str, object], space: Space) -> Iterator[Fault]:
    named = [
        Fault(f"space.{name}", fault)
        for name in space.parameters
        if (fault := _not_searchable(model, name)) is not None
    ]
    yield from named or _impossible_values(model, settings, space)


def _not_searchable(model: type[BaseModel], name: str) -> str | None:
    if name not in model.model_fields:
        return not_a_setting(model)
    extra = model.model_fields[name].json_schema_extra
    if isinstance(extra, dict) and extra.get("searchable") is False:
        return "must be the same in all trials of a study, which could not be compared otherwise; make it a setting"
    return None


def _impossible_values(model: type[BaseModel], settings: Mapping[str, object], space: Space) -> Iterator[Fault]:
    """Ends of ranges, one at a time and all at once, with which no trial could be trained."""
    found = False
    for name, parameter in space.parameters.items():
        for end, value in _extremes(parameter):
            if fault := _refused(model, {**settings, name: value}, value):
                found = True
                yield Fault(f"space.{name}.{end}", fault)
    corners = [{name: _extremes(one)[end][1] for name, one in space.parameters.items()} for end in (0, -1)]
    for corner in corners if not found and len(space.parameters) > 1 else []:
        if fault := _refused(model, {**settings, **corner}, corner):
            yield Fault("space", fault)


def _extremes(parameter: Parameter) -> list[tuple[str, Scalar]]:
    if isinstance(parameter, Categorical):
        return [("choices", choice) for choice in parameter.choices]
    return [("low", parameter.low), ("high", parameter.high)]


def _refused(model: type[BaseModel], settings: Mapping[str, object], tried: object) -> str | None:
    fault = next(settings_faults(model, settings, ""), None)
    if fault is None:
        return None
    return f"{tried!r} is not possible: {fault.field.removeprefix('.')} {fault.message}"
