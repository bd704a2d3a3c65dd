"""Fills a database with many studies, one of them with many trials, by statements that make the rows themselves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from service.domain.status import Purpose, TrialStatus
from service.protocol import StudySpec
from tests.integration.harness import spec

BIG = "big"
WAITING, RUNNING = 20, 20
MORE = 1_000
"""So many trials the budget of the big study has left."""
FEW = 10_000
LATER = "2025-12-31 12:00:00.000000"
PARAMS = """'{"lr": ' || (0.0001 + n % 9973 / 10000.0) || '}'"""
EPOCHS, OBJECTIVES, PURPOSES = """'[{"epoch": 1, "score": 0.5}]'""", """'["bowl"]'""", """'["search"]'"""
NARROWING = {"policy": "leaders", "settings": {"top": 5}}
STARTED = "2025-12-01 00:00:00.000000"


@dataclass(frozen=True, slots=True)
class Size:
    """How many trials one study has, and how many studies there are beside it."""

    trials: int
    studies: int


def fill(engine: sa.Engine, size: Size, *, curves: bool = True) -> None:
    """A study named `big` with many trials, and others of which half run and half are completed; none has any to give.

    On PostgreSQL the planner is told of it, as its own background processes would.
    """
    with engine.begin() as connection:
        with _indexes_afterwards(connection):
            _add_studies(connection, size)
            _add_trials(connection, size.trials)
            _add_what_follows(connection, curves=curves)
            _add_workers(connection)
        _add_counts(connection)
        if connection.dialect.name == "postgresql":
            _execute(connection, "ANALYZE")


@contextmanager
def _indexes_afterwards(connection: sa.Connection) -> Iterator[None]:
    """Without indexes for the length of a block: to make them of rows that are there is quicker by far."""
    listed = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix_%'"
        if _is_sqlite(connection)
        else "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix_%'"
    )
    indexes = connection.execute(sa.text(listed)).all()
    for name, _ in indexes:
        _execute(connection, f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        _execute(connection, definition)


def _add_studies(connection: sa.Connection, size: Size) -> None:
    """Study 0 is the big one."""
    trials = size.trials
    names = f"CASE WHEN n = 0 THEN '{BIG}' ELSE 'study-' || n END"
    text = json.dumps(_whole(trials + MORE))
    _execute(
        connection,
        f"""INSERT INTO studies (id, name, objective, status, spec, round, next_number, budgeted, epochs, last_event,
            idle, created_at, started_at)
        SELECT {_hexadecimal(connection, "n")}, {names}, CASE WHEN n = 0 THEN 'bowl' ELSE 'other' END,
            CASE WHEN n = 0 OR n % 2 = 1 THEN 'running' ELSE 'completed' END,
            replace('{text}', '"study"', '"' || {names} || '"'), 1,
            CASE WHEN n = 0 THEN {trials} ELSE 1 END, CASE WHEN n = 0 THEN {trials} ELSE 1 END, 0,
            CASE WHEN n = 0 THEN {trials} ELSE 1 END, n != 0, '{STARTED}', '{STARTED}'
        FROM ({_series(size.studies)}) AS numbers""",
    )
    _execute(
        connection, "INSERT INTO study_tags (study_id, tag) SELECT id, 'even' FROM studies WHERE status = 'completed'"
    )
    _execute(
        connection,
        f"""INSERT INTO rounds (study_id, number, parent, ranges, origin, planned, position, finished, opened_at)
        SELECT id, n, CASE WHEN n = 0 THEN NULL ELSE 0 END, '{_ranges()}', 'submitted', 100, 0, 0, '{STARTED}'
        FROM studies, ({_series(2)}) AS numbers""",
    )


def _add_trials(connection: sa.Connection, trials: int) -> None:
    """Of the big study the last trials wait and run; a few of the others were pruned, have failed or were cancelled."""
    status = f"""CASE WHEN n >= {trials - WAITING} THEN 'waiting' WHEN n >= {trials - WAITING - RUNNING} THEN 'running'
        WHEN n % 50 = 7 THEN 'pruned' WHEN n % 100 = 11 THEN 'failed' WHEN n % 100 = 13 THEN 'cancelled'
        ELSE 'completed' END"""
    _execute(
        connection,
        f"""INSERT INTO trials (study_id, number, purpose, origin, status, params, point, value, samples, round, seed,
            attempt, attempts_allowed, leases, lease_token, lease_expires_at, claim_request, worker, stale,
            created_at, started_at, finished_at, finished_event)
        SELECT {_hexadecimal(connection, "0")}, n, 'search', 'enqueued', status,
            {_json(connection, PARAMS)}, {_hexadecimal(connection, "n")},
            CASE WHEN status IN ('completed', 'pruned') THEN n % 1009 * 7919 % 1009 / 1009.0 END, NULL,
            CASE WHEN n < {trials} / 2 THEN 0 ELSE 1 END, n, 1, 3, 1,
            CASE WHEN status = 'running' THEN 'token' END,
            CASE WHEN status = 'running' THEN {_moment(connection, "2027-01-01 00:00:00.000000")} END,
            NULL, 'worker-' || n % 16, {_false(connection)}, '{STARTED}', '{STARTED}',
            CASE WHEN status NOT IN ('waiting', 'running') THEN {_moment(connection, STARTED)} END,
            CASE WHEN status NOT IN ('waiting', 'running') THEN n END
        FROM (SELECT n, {status} AS status FROM ({_series(trials)}) AS numbers) AS statuses""",
    )


def _add_counts(connection: sa.Connection) -> None:
    """As they are, in the big study; one trial that is done, in the others."""
    counted = "SELECT count(*) FROM trials WHERE study_id = studies.id AND purpose = p AND status = s"
    one = "CASE WHEN p = 'search' AND s = 'completed' THEN 1 ELSE 0 END"
    _execute(
        connection,
        f"""INSERT INTO trial_counts (study_id, purpose, status, trials)
        SELECT id, p, s, CASE WHEN name = '{BIG}' THEN ({counted}) ELSE {one} END FROM studies,
            ({_listed("p", Purpose)}) AS purposes, ({_listed("s", TrialStatus)}) AS statuses""",
    )


def _add_what_follows(connection: sa.Connection, *, curves: bool) -> None:
    _execute(
        connection,
        f"""INSERT INTO attempts (trial_id, lease, attempt, token, worker, last_epoch, started_at)
        SELECT id, 1, 1, 'token', worker, {"1" if curves else "NULL"}, '{STARTED}' FROM trials""",
    )
    _execute(
        connection,
        f"""INSERT INTO events (study_id, sequence, kind, trial, at)
        SELECT study_id, number, 'finished', number, '{STARTED}' FROM trials""",
    )
    _execute(
        connection,
        """INSERT INTO standings (study_id, epoch, bracket, trial_id, value)
        SELECT study_id, 1, 0, id, number FROM trials""",
    )
    _execute(
        connection,
        f"""INSERT INTO idempotency_keys (key, fingerprint, status, body, created_at)
        SELECT 'key-' || n, '', 200, '', '{LATER}' FROM ({_series(FEW)}) AS numbers""",
    )
    _execute(
        connection,
        f"""INSERT INTO weights (trial_id, study_id, content) SELECT trials.id, studies.id, 'w' FROM trials, studies
        WHERE studies.name = 'study-' || (1 + trials.number) AND trials.number < {FEW}""",
    )
    if curves:
        one = _json(connection, EPOCHS)
        _execute(
            connection,
            f"INSERT INTO curves (trial_id, lease, first_epoch, epochs) SELECT id, 1, 1, {one} FROM trials",
        )


def _add_workers(connection: sa.Connection) -> None:
    said = f"{_json(connection, OBJECTIVES)}, {_json(connection, PURPOSES)}"
    _execute(
        connection,
        f"""INSERT INTO workers (name, objectives, purposes, completed, failed, first_seen_at, last_seen_at)
        SELECT 'worker-' || n, {said}, 0, 0, '{STARTED}', '{STARTED}' FROM ({_series(100)}) AS numbers""",
    )


def _whole(trials: int) -> dict[str, object]:
    return StudySpec.model_validate(
        spec(budget={"trials": trials}, keep_weights="best", narrowing=NARROWING)
    ).model_dump(mode="json")


def _ranges() -> str:
    return json.dumps(spec()["space"])


def _series(count: int) -> str:
    return (
        f"WITH RECURSIVE counting(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counting WHERE n < {count - 1}) "
        "SELECT n FROM counting"
    )


def _listed(name: str, values: type[Purpose] | type[TrialStatus]) -> str:
    return " UNION ALL ".join(f"SELECT '{value}' AS {name}" for value in values)


def _hexadecimal(connection: sa.Connection, number: str) -> str:
    written = f"printf('%032x', {number})" if _is_sqlite(connection) else f"lpad(to_hex({number}), 32, '0')"
    return f"({written})"


def _json(connection: sa.Connection, text: str) -> str:
    return f"({text})" if _is_sqlite(connection) else f"CAST({text} AS json)"


def _moment(connection: sa.Connection, text: str) -> str:
    return f"'{text}'" if _is_sqlite(connection) else f"CAST('{text}' AS timestamptz)"


def _false(connection: sa.Connection) -> str:
    return "0" if _is_sqlite(connection) else "false"


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _execute(connection: sa.Connection, statement: str) -> None:
    connection.execute(sa.text(statement))
