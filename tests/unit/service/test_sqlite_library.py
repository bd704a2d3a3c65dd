"""Which SQLite is used, and what is said of one that is not sound."""

from types import ModuleType

import pytest

from service.storage.sqlite_library import SOUND, described, is_sound, library, newest, warning


def bringing(version: str, name: str = "sqlite3") -> ModuleType:
    module = ModuleType(name)
    module.sqlite_version = version  # type: ignore[attr-defined]
    module.sqlite_version_info = tuple(map(int, version.split(".")))  # type: ignore[attr-defined]
    return module


def test_the_newest_is_taken_and_pythons_own_among_equals() -> None:
    own, old, new = bringing("3.40.1"), bringing("3.39.0", "pysqlite3.dbapi2"), bringing("3.53.4", "pysqlite3.dbapi2")
    assert newest(own, new) is new
    assert newest(own, old) is own
    assert newest(own, bringing("3.40.1", "pysqlite3.dbapi2")) is own


@pytest.mark.parametrize(("version", "sound"), [("3.51.2", False), ("3.51.3", True), ("3.9.0", False)])
def test_what_is_sound_has_no_warning(version: str, sound: bool) -> None:
    module = bringing(version)
    assert is_sound(module) == sound
    assert (warning(module) is None) == sound


def test_the_warning_names_the_way_out() -> None:
    said = warning(bringing("3.40.1"))
    assert said is not None
    assert "3.40.1" in said
    assert "pysqlite3" in said
    assert ".".join(map(str, SOUND)) in said


def test_a_library_is_described_by_its_version_and_where_it_comes_from() -> None:
    assert described(bringing("3.53.4", "pysqlite3.dbapi2")) == "SQLite 3.53.4 (pysqlite3)"


def test_one_library_is_used_for_all() -> None:
    assert library() is library()
