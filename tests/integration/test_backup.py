"""Copies of a SQLite database: whole, or not there at all."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.storage import backup, migrations
from service.storage.backup import BackupFailed, BackupRefused, back_up
from service.storage.examination import examine
from tests.integration.cluster import Cluster
from tests.integration.harness import Api

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_sqlite
def test_a_copy_has_what_was_committed_before_it_and_nothing_beside_it(api: Api, tmp_path: Path) -> None:
    api.submit()
    api.run([0.1, 0.2])
    folder = tmp_path / "copies"
    folder.mkdir()
    made = back_up(api.url, folder / "copy.db")
    api.run([0.3])
    assert [file.name for file in folder.iterdir()] == ["copy.db"]
    assert (made.file, made.schema) == (folder / "copy.db", migrations.head())
    assert made.size_bytes == made.file.stat().st_size
    api.stop()
    before, api.url = api.url, f"sqlite:///{made.file}"
    assert examine(api.url).faults == []
    api.client = api._start()
    assert api.counts()["completed"] == 2
    assert examine(before).faults == []


@on_sqlite
def test_a_file_that_is_there_is_replaced_only_when_asked_for(api: Api, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("something else")
    with pytest.raises(BackupRefused, match="--force"):
        back_up(api.url, target)
    assert target.read_text() == "something else"
    back_up(api.url, target, replace=True)
    assert examine(f"sqlite:///{target}").faults == []


@on_sqlite
def test_a_database_is_never_its_own_backup(api: Api, tmp_path: Path) -> None:
    own = Path(api.url.removeprefix("sqlite:///"))
    other = tmp_path / "link.db"
    os.link(own, other)
    for target in (own, other):
        with pytest.raises(BackupRefused, match="the database itself"):
            back_up(api.url, target, replace=True)


def test_what_is_missing_is_named(sqlite_template: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="no database"):
        back_up(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "copy.db")
    with pytest.raises(BackupRefused, match="no folder"):
        back_up(f"sqlite:///{sqlite_template}", tmp_path / "none" / "copy.db")


def test_postgresql_is_left_to_its_own_tool(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="pg_dump"):
        back_up(cluster.url("template1"), tmp_path / "copy.db")


@on_sqlite
def test_a_damaged_copy_is_not_kept(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damage(_: sa.URL, copy: Path) -> None:
        engine = migrations.migration_engine(f"sqlite:///{copy}")
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE nothing_of_ours (id INTEGER)"))
        engine.dispose()

    monkeypatch.setattr(backup, "_copy", damage)
    folder = tmp_path / "copies"
    folder.mkdir()
    with pytest.raises(BackupFailed, match="schema none"):
        back_up(api.url, folder / "copy.db")
    assert [file.name for file in folder.iterdir() if file.suffix == ".db"] == []
