"""A PostgreSQL server of the tests' own, reached by a socket that nobody else knows."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.storage import migrations
from tests.integration.emptied import emptied, schema_of

TEMPLATE = "migrated"
# Ends with the tests, however they end: then its standard input closes.
UNTIL_STDIN_CLOSES = 'home=$1; shift; "$@" & read -r _; kill -QUIT $!; wait; rm -rf "$home"'
QUICK = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off -c shared_buffers=32MB"


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL server here, or None."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda found: int(re.sub(r"\D", "", found.parts[-3]) or 0),
    )
    on_path = shutil.which("initdb")
    found = installed[-1] if installed else Path(on_path).resolve() if on_path else None
    return None if found is None else found.parent


class Cluster:
    """Started once a session; every test gets a database of its own, copied from a migrated one or empty again."""

    def __init__(self, folder: Path, options: str = QUICK) -> None:
        self._binaries, self._options, self._numbers = folder, options, count()
        self._home = Path(tempfile.mkdtemp(prefix="shibori-pg-"))
        self._credentials: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = _unprivileged()
            os.chown(self._home, owner.pw_uid, owner.pw_gid)
            self._credentials = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self._data = self._home / "data"
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self._server = self._start()
        self._admin = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        self._wait_until_it_answers()
        self._execute(f"CREATE DATABASE {TEMPLATE}")
        migrations.upgrade(self.url(TEMPLATE))
        self._schema, self._emptied = schema_of(self._address(TEMPLATE)), list[str]()

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self._home}"

    def create(self) -> str:
        """The name of a migrated database without any rows."""
        if self._emptied:
            return self._emptied.pop()
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    def create_empty(self) -> str:
        """The name of a fresh database without any tables."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        return name

    def give_back(self, name: str) -> None:
        """Keep it for the next test, if only rows were changed in it."""
        if emptied(self._address(name), self._schema):
            self._emptied.append(name)
        else:
            self.drop(name)

    def drop(self, name: str) -> None:
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        self._admin.dispose()
        self._server.communicate()

    def _address(self, name: str) -> str:
        return f"host={self._home} user=postgres dbname={name}"

    def _start(self) -> subprocess.Popen[bytes]:
        options = f"{self._options} -c listen_addresses= -c unix_socket_directories={self._home}".split()
        server = [str(self._binaries / "postgres"), "-D", str(self._data), *options]
        with (self._home / "log").open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", UNTIL_STDIN_CLOSES, "sh", str(self._home), *server],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self._credentials,
            )

    def _wait_until_it_answers(self) -> None:
        while True:
            with suppress(sa.exc.OperationalError):
                return self._execute("SELECT 1")
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(0.05)
                raise RuntimeError("the PostgreSQL server has ended")

    def _execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(sa.text(statement))

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = [str(self._binaries / program), *arguments]
        output = self._home / f"{program}.out"
        with output.open("ab") as out:
            done = subprocess.run(
                command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd=self._home,
                check=False,
                **self._credentials,
            )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{output.read_text()}")


def _unprivileged() -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root."""
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
