"""Results of trials from elsewhere: a CSV file, or a study of Optuna's."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from service.domain.space import Categorical, Parameter, Scalar
from service.protocol import GivenTrial, StudyView

STATES = ("state", "status")
COMPLETED = ("complete", "completed", "")
PREFIXES = ("", "params_", "params.")


class Unreadable(Exception):
    """What was given holds no results for the study; the sentence says where and why."""


@dataclass(frozen=True, slots=True)
class Results:
    """Completed trials, and how many others there were."""

    trials: Sequence[GivenTrial]
    skipped: int


def from_csv(lines: TextIO, study: StudyView) -> Results:
    """A column for each parameter, by its name or as Optuna writes it, one for the value, perhaps one for the samples.

    The value stands under `value` or the name of the metric. Rows whose `state` or `status` is not
    completed are left out.
    """
    try:
        reader = csv.DictReader(lines, skipinitialspace=True)
        columns = _Columns.of(reader.fieldnames or (), study)
        rows = [(number, row) for number, row in enumerate(reader, 2) if any(row.values())]
    except (csv.Error, UnicodeDecodeError) as error:
        raise Unreadable(f"The file is no CSV in UTF-8: {error}.") from error
    completed = [(number, row) for number, row in rows if columns.is_completed(row)]
    return Results([columns.trial(number, row) for number, row in completed], len(rows) - len(completed))


def from_optuna(storage: str, name: str, study: StudyView) -> Results:
    """The completed trials of a study in one of Optuna's storages."""
    try:
        optuna: Any = import_module("optuna")
    except ModuleNotFoundError as error:
        raise Unreadable("Optuna is not installed here; pip install 'shibori[optuna]' brings it.") from error
    _require_file(storage)
    try:
        found = optuna.load_study(study_name=name, storage=storage)
    except KeyError as error:
        raise Unreadable(f"There is no study {name!r} in {storage}.") from error
    except Exception as error:
        raise Unreadable(f"The storage {storage} cannot be read: {error}") from error
    if [direction.name.lower() for direction in found.directions] != [study.metric.goal]:
        goals = ", ".join(direction.name.lower() for direction in found.directions)
        raise Unreadable(f"{name} is there to {goals}, and {study.name} to {study.metric.goal}.")
    trials = found.get_trials(deepcopy=False)
    completed = [trial for trial in trials if trial.state.name == "COMPLETE" and math.isfinite(trial.value)]
    given = [_given(f"Trial {one.number}", params=dict(one.params), value=float(one.value)) for one in completed]
    return Results(given, len(trials) - len(completed))


def _require_file(storage: str) -> None:
    """Refuse a SQLite file that is not there: opening it would make an empty one."""
    if storage.startswith("sqlite:///") and not Path(storage.removeprefix("sqlite:///")).is_file():
        raise Unreadable(f"There is no file {storage.removeprefix('sqlite:///')}.")


def _given(where: str, **fields: Any) -> GivenTrial:
    try:
        return GivenTrial(**fields)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise Unreadable(f"{where}, {'.'.join(map(str, fault['loc']))}: {fault['msg']}.") from error


@dataclass(frozen=True, slots=True)
class _Columns:
    params: Mapping[str, tuple[str, Parameter]]
    """The column of each parameter that has one."""
    value: str
    samples: str | None
    state: str | None

    @classmethod
    def of(cls, header: Iterable[str], study: StudyView) -> "_Columns":
        names = list(header)
        params = {
            name: (column, parameter)
            for name, parameter in study.space.items()
            if (column := _first(names, [prefix + name for prefix in PREFIXES])) is not None
        }
        value = _first(names, ["value", study.metric.name])
        needed = {name for name, parameter in study.space.items() if parameter.when is None}
        if missing := sorted(needed - params.keys()):
            raise Unreadable(f"There is no column for {', '.join(missing)}; the columns are {', '.join(names)}.")
        if value is None:
            raise Unreadable(f"There is no column value or {study.metric.name}; the columns are {', '.join(names)}.")
        return cls(params, value, _first(names, ["samples"]), _first(names, STATES))

    def is_completed(self, row: Mapping[str, str | None]) -> bool:
        return self.state is None or (row[self.state] or "").strip().lower() in COMPLETED

    def trial(self, line: int, row: Mapping[str, str | None]) -> GivenTrial:
        said = {name: (column, _text(row[column]), parameter) for name, (column, parameter) in self.params.items()}
        params = {
            name: _scalar(line, column, text, parameter) for name, (column, text, parameter) in said.items() if text
        }
        samples = _text(row[self.samples]) if self.samples else ""
        return _given(
            f"Line {line}",
            params=params,
            value=_number(line, self.value, _text(row[self.value])),
            samples=_whole(line, "samples", samples) if samples else None,
        )


def _first(names: Sequence[str], wanted: Iterable[str]) -> str | None:
    return next((name for name in wanted if name in names), None)


def _text(cell: str | None) -> str:
    return (cell or "").strip()


def _scalar(line: int, column: str, text: str, parameter: Parameter) -> Scalar:
    if isinstance(parameter, Categorical):
        return _choice(line, column, text, parameter)
    return _whole(line, column, text) if parameter.type == "int" else _number(line, column, text)


def _choice(line: int, column: str, text: str, parameter: Categorical) -> Scalar:
    for choice in parameter.choices:
        if text in _spellings(choice):
            return choice
    known = ", ".join(str(choice) for choice in parameter.choices)
    raise Unreadable(f"Line {line}, column {column}: {text!r} is none of the choices {known}.")


def _spellings(choice: Scalar) -> Iterator[str]:
    yield str(choice)
    if isinstance(choice, bool):
        yield str(choice).lower()
        yield str(int(choice))
    elif isinstance(choice, int | float):
        yield repr(float(choice))
        yield f"{choice:g}"


def _number(line: int, column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Unreadable(f"Line {line}, column {column}: must be a finite number, got {text!r}.")
    return number


def _whole(line: int, column: str, text: str) -> int:
    number = _number(line, column, text)
    if not number.is_integer():
        raise Unreadable(f"Line {line}, column {column}: must be a whole number, got {text!r}.")
    return int(number)
