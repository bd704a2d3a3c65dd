"""Statements that are compiled once, and run by the database's driver alone.

What SQLAlchemy does anew each time it runs a statement takes several times as long as SQLite takes to answer it, and
a trial that is claimed, reported and completed is some thirty statements. These are still written in SQLAlchemy's
terms, which compiles them and knows how each type is kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql.dml import UpdateBase

Processor: TypeAlias = Callable[[Any], Any]
Record: TypeAlias = dict[str, Any]
DOUBLE = 701
"""PostgreSQL's number of the type `double precision`."""


class Prepared:
    """A statement for rows by their columns' names; its parameters may not be lists to be expanded."""

    def __init__(self, statement: sa.Select[Any] | UpdateBase) -> None:
        self._statement = statement
        self._forms: dict[tuple[str, ...], _Form] = {}

    def rows(self, connection: sa.Connection, parameters: Mapping[str, object]) -> list[Record]:
        """What a SELECT finds, or what a change has RETURNING."""
        form = self._form(connection, parameters)
        cursor = form.run(connection, parameters)
        return [form.record(row) for row in cursor.fetchall()]

    def row(self, connection: sa.Connection, parameters: Mapping[str, object]) -> Record | None:
        """The one row there is, if there is any."""
        found = self.rows(connection, parameters)
        assert len(found) < 2
        return found[0] if found else None

    def change(self, connection: sa.Connection, parameters: Mapping[str, object]) -> int:
        """Insert, update or delete; returns how many rows an update or a deletion met."""
        return int(self._form(connection, parameters).run(connection, parameters).rowcount)

    def _form(self, connection: sa.Connection, parameters: Mapping[str, object]) -> "_Form":
        # A change sets the columns that its parameters name, so that each set of names is a statement.
        form = (connection.dialect.name, *parameters)
        found = self._forms.get(form)
        if found is None:
            found = self._forms[form] = _Form(self._statement, tuple(parameters), connection.dialect)
        return found


class _Form:
    """A statement compiled for the parameters that it is given."""

    def __init__(self, statement: sa.Select[Any] | UpdateBase, names: Sequence[str], dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        assert isinstance(compiled, sa.sql.compiler.SQLCompiler)
        if missing := {name for name, bind in compiled.binds.items() if bind.required} - set(names):
            raise KeyError(f"no value for {', '.join(sorted(missing))}")
        self._text = str(compiled)
        places = compiled.positiontup or ()
        self._values = _values_of(places)
        self._constants = {name: compiled.binds[name].value for name in places if name not in names}
        self._bound = _needed(_bind_processor(compiled.binds[name].type, dialect) for name in places)
        columns = list(statement.exported_columns)
        self._columns = [str(column.key) for column in columns]
        found = _needed(_result_processor(column.type, dialect) for column in columns)
        self._read = [(self._columns[place], processor) for place, processor in found]

    def run(self, connection: sa.Connection, parameters: Mapping[str, object]) -> Any:
        values = list(self._values({**self._constants, **parameters}))
        for place, processor in self._bound:
            values[place] = processor(values[place])
        return _execute(connection, self._text, values)

    def record(self, row: Sequence[Any]) -> Record:
        record = dict(zip(self._columns, row, strict=True))
        for name, processor in self._read:
            record[name] = processor(record[name])
        return record


def _values_of(names: Sequence[str]) -> Callable[[Mapping[str, object]], Sequence[object]]:
    """What takes the values of names out of a mapping, in order; of one name, it would return a value alone."""
    return itemgetter(*names) if len(names) > 1 else lambda parameters: [parameters[name] for name in names]


def _needed(processors: Iterable[Processor | None]) -> list[tuple[int, Processor]]:
    """The processors that there are, each with its place."""
    return [(place, processor) for place, processor in enumerate(processors) if processor is not None]


def run_plain(connection: sa.Connection, text: str) -> None:
    """Run a statement that has neither parameters nor rows."""
    _execute(connection, text, ())


def _execute(connection: sa.Connection, text: str, values: Sequence[object]) -> Any:
    driver: Any = connection.connection.dbapi_connection
    try:
        return driver.execute(text, values)
    except Exception as error:
        dialect: Any = connection.dialect
        error_type: type[Exception] = dialect.dbapi.Error
        if not isinstance(error, error_type):
            raise
        if lost := bool(dialect.is_disconnect(error, driver, None)):
            connection.invalidate(error)
        told = {"hide_parameters": True, "connection_invalidated": lost, "dialect": dialect}
        raise sa.exc.DBAPIError.instance(text, list(values), error, error_type, **told) from error


def _bind_processor(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Processor | None:
    processor = kind.dialect_impl(dialect).bind_processor(dialect)
    return _plain_text if processor is None and isinstance(kind, sa.String) else processor


def _plain_text(text: str | None) -> str | None:
    """The text alone of a member of an enum, which the driver would ask first how it wants to be kept."""
    return text if text is None or type(text) is str else str(text)


def _result_processor(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Processor | None:
    # PostgreSQL's type of a column is asked for where a number may be a decimal one, which none here is.
    return kind.dialect_impl(dialect).result_processor(dialect, DOUBLE)
