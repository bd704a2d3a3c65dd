"""`shibori db check` and `shibori db backup`, as a person or a script calls them."""

import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from service.storage import migrations
from service.storage.invariants import INVARIANTS
from shibori.commands import main
from tests.integration.harness import Api


def called(command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["db", command, *arguments])


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sqlite_template, tmp_path / "own.db"))


def test_a_check_beside_a_server_ends_well(api: Api) -> None:
    api.submit()
    checked = called("check", "--database", api.url, "--json")
    assert checked.exit_code == 0, checked.output
    document = json.loads(checked.stdout)
    assert document["schema"] == migrations.head()
    assert document["checks"] >= len(INVARIANTS)
    assert document["faults"] == []


def test_what_a_check_finds_is_named_and_ends_badly(api: Api) -> None:
    api.submit(budget={"trials": 20})
    api.run([0.1] * 8)
    engine = migrations.migration_engine(api.url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE trials SET failure_reason = 'lost'"))
    engine.dispose()
    checked = called("check", "--database", api.url)
    assert checked.exit_code == 1
    assert "1 of " in checked.stderr
    lines = checked.stdout.splitlines()
    assert len(lines) == 6
    assert "a failed trial says why" in lines[0]
    assert "status completed" in lines[0]
    assert "more" in lines[-1]
    (fault,) = json.loads(called("check", "--database", api.url, "--json").stdout)["faults"]
    assert (len(fault["offenders"]), fault["more"]) == (5, True)


def test_a_backup_says_what_it_made_and_refuses_to_replace(file: Path) -> None:
    target = file.with_name("copy.db")
    arguments = [str(target), "--database", f"sqlite:///{file}", "--json"]
    made = called("backup", *arguments)
    assert json.loads(made.stdout) == {
        "file": str(target),
        "bytes": target.stat().st_size,
        "schema": migrations.head(),
    }
    again = called("backup", *arguments)
    assert again.exit_code == 1
    assert "--force" in again.stderr
    assert called("backup", "--force", *arguments).exit_code == 0


def test_something_else_than_a_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_text("this is no database, and never was " * 200)
    for command in (["check"], ["backup", str(tmp_path / "copy.db")]):
        ended = called(*command, "--database", f"sqlite:///{other}")
        assert ended.exit_code == 1
        assert ended.stderr.startswith("Error: ")
        assert "file is not a database" in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.db"]
