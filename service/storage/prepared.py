"""Statements that are compiled once, and run by the database's driver alone.

What SQLAlchemy does anew each time it runs a statement takes several times as long as SQLite takes to answer it, and
a trial that is claimed, reported and completed is some thirty statements. These are still written in SQLAlchemy's
terms, which compiles them and knows how each type is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql.dml import UpdateBase

Processor: TypeAlias = Callable[[Any], Any] | None
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
        self._binds = [
            (name, compiled.binds[name].value, _bind_processor(compiled.binds[name].type, dialect))
            for name in compiled.positiontup or ()
        ]
        self._columns = [
            (str(column.key), _result_processor(column.type, dialect)) for column in statement.exported_columns
        ]

    def run(self, connection: sa.Connection, parameters: Mapping[str, object]) -> Any:
        values = [_processed(parameters.get(name, value), processor) for name, value, processor in self._binds]
        return _execute(connection, self._text, values)

    def record(self, row: Sequence[Any]) -> Record:
        return {
            name: value if processor is None else processor(value)
            for (name, processor), value in zip(self._columns, row, strict=True)
        }


def run_plain(connection: sa.Connection, text: str) -> None:
    """Run a statement that has neither parameters nor rows."""
    _execute(connection, text, ())


def _execute(connection: sa.Connection, text: str, values: Sequence[object]) -> Any:
    driver: Any = connection.connection.driver_connection
    dialect: Any = connection.dialect
    error_type: type[Exception] = dialect.dbapi.Error
    try:
        return driver.execute(text, values)
    except error_type as error:
        if lost := bool(dialect.is_disconnect(error, driver, None)):
            connection.invalidate(error)
        told = {"hide_parameters": True, "connection_invalidated": lost, "dialect": dialect}
        raise sa.exc.DBAPIError.instance(text, list(values), error, error_type, **told) from error


def _processed(value: object, processor: Processor) -> object:
    return value if processor is None else processor(value)


def _bind_processor(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Processor:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _result_processor(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Processor:
    # PostgreSQL's type of a column is asked for where a number may be a decimal one, which none here is.
    return kind.dialect_impl(dialect).result_processor(dialect, DOUBLE)
