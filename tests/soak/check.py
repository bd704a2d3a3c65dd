"""Reads the database against what was promised: everything acknowledged is there, once, and nothing is stuck."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.domain.status import AttemptEnd, TrialStatus
from tests.proof import invariants, picture
from tests.proof.picture import Picture, Row

ENDS = {"complete": {AttemptEnd.COMPLETED}, "fail": {AttemptEnd.FAILED}, "release": {AttemptEnd.RELEASED}}
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the record and the database say, and what of it should not be so."""

    fates: Counter[str]
    acknowledged: Counter[str]
    statuses: Counter[str]
    refused: Counter[int]
    attempts: Counter[str]
    lost: list[str]
    wrong: list[str]


def examine(record: Path, database: str) -> Findings:
    """What a record and a database say."""
    return compare([json.loads(line) for line in record.read_text("utf-8").splitlines()], _look(database))


def compare(lines: Sequence[Line], now: Picture) -> Findings:
    """What the lines of a record and the picture of a database say."""
    promised = [line for line in lines if "what" in line and line["status"] == 200]
    return Findings(
        fates=Counter(line["fate"] for line in lines),
        acknowledged=Counter(line["what"] for line in promised),
        statuses=Counter(trial.status for trial in now.trials.values()),
        refused=Counter(line["status"] for line in lines if line.get("status", 0) >= 400),
        attempts=Counter(str(one.end) for made in now.attempts.values() for one in made),
        lost=[said for line in promised for said in _lost(line, now)],
        wrong=list(_wrong(now, lines)),
    )


def _wrong(now: Picture, lines: Sequence[Line]) -> Iterator[str]:
    yield from invariants.breaches(now)
    yield from invariants.over_budget(now)
    yield from invariants.stuck(now)
    yield from invariants.unused_budget(now)
    yield from invariants.wrongly_credited(now)
    yield from (said for trial in now.trials.values() for said in _value(now, trial))
    yield from (f"the server failed: {line}" for line in lines if line.get("status") == 500)


def _lost(line: Line, now: Picture) -> Iterator[str]:
    """What the server has acknowledged and does not have."""
    said, trial = line["said"], now.trials.get(line["trial"])
    made = now.attempt(line["trial"], said["lease"])
    if trial is None or made is None or (line["what"] in ENDS and made.end not in ENDS[line["what"]]):
        yield f"{line} ended as {made}"
    elif line["what"] == "complete" and (trial.status, trial.value) != (TrialStatus.COMPLETED, said["value"]):
        yield f"{line} is {trial.status} with {trial.value}"
    elif not _epochs(now.curve(trial.id, said["lease"])).issuperset(_epochs(_promised(line, made))):
        yield f"{line} has another curve"


def _promised(line: Line, made: Row) -> list[dict[str, float]]:
    """A report that is made again after it was told to stop begins as it did, and what it adds is not wanted."""
    said: list[dict[str, float]] = line["said"].get("epochs", [])
    if line.get("action") != "stop":
        return said
    return [epoch for epoch in said if epoch is said[0] or epoch["epoch"] <= (made.last_epoch or 0)]


def _epochs(curve: list[dict[str, float]]) -> set[tuple[float, float]]:
    return {(epoch["epoch"], epoch["value"]) for epoch in curve}


def _value(now: Picture, trial: Row) -> Iterator[str]:
    """The objective gives x, so that nobody's result can pass for another's."""
    if trial.value is not None and trial.value != trial.params["x"]:
        yield f"trial {trial.id} has the value {trial.value} of another: {trial.params}"
    last = now.curves.get((trial.id, trial.leases), [])
    if trial.status == TrialStatus.COMPLETED and [epoch["epoch"] for epoch in last] != [1, 2]:
        yield f"trial {trial.id} is completed with the epochs {last}"


def _look(database: str) -> Picture:
    engine = sa.create_engine(database)
    try:
        with engine.begin() as connection:
            return picture.take(connection)
    finally:
        engine.dispose()
