import gzip
import os
import runpy
import sys
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import md5
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from trainer.data.__main__ import main
from trainer.data.download import MD5, download
from trainer.errors import DataError

FULL = os.environ.get("SHIBORI_TEST_MNIST")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """The URL of a mirror whose files hold their own names."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for stem in MD5:
        (folder / f"{stem}.gz").write_bytes(gzip.compress(stem.encode()))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def sums() -> dict[str, str]:
    return {stem: md5(stem.encode()).hexdigest() for stem in MD5}


def test_the_four_files_arrive_when_their_checksums_match(mirror: str, tmp_path: Path) -> None:
    download(tmp_path / "to", (mirror,), sums())
    assert {path.name for path in (tmp_path / "to").iterdir()} == {f"{stem}.gz" for stem in MD5}


def test_the_next_mirror_is_asked_when_one_does_not_answer(mirror: str, tmp_path: Path) -> None:
    download(tmp_path / "to", (f"{mirror}nowhere", mirror), sums())
    assert len(list((tmp_path / "to").iterdir())) == 4


def test_one_wrong_checksum_leaves_nothing_behind(mirror: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing was kept"):
        download(tmp_path / "to", (mirror,), sums() | {"t10k-labels-idx1-ubyte": "0" * 32})
    assert not (tmp_path / "to").exists()


def test_the_command_says_what_was_wrong_and_leaves_nothing_behind(
    mirror: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["download", "mnist", "--to", str(tmp_path / "to"), "--mirror", mirror]) == 1
    assert "has the checksum" in capsys.readouterr().err
    assert not (tmp_path / "to").exists()


def test_a_mirror_without_the_files_is_named(mirror: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["download", "mnist", "--to", str(tmp_path / "to"), "--mirror", f"{mirror}nowhere"]) == 1
    assert "nowhere: HTTP Error 404" in capsys.readouterr().err


def test_the_command_says_how_to_train_on_the_full_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trainer.data.download.download", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["trainer.data", "download", "mnist", "--to", "somewhere"])
    monkeypatch.delitem(sys.modules, "trainer.data.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("trainer.data", run_name="__main__")
    assert ended.value.code == 0
    assert "export SHIBORI_DATA_DIR=somewhere" in capsys.readouterr().err


@pytest.mark.skipif(not FULL, reason="SHIBORI_TEST_MNIST names no folder with the full set")
def test_the_published_checksums_are_those_of_the_full_set() -> None:
    for stem, digest in MD5.items():
        packed = Path(FULL or "", f"{stem}.gz")
        content = gzip.decompress(packed.read_bytes()) if packed.exists() else packed.with_suffix("").read_bytes()
        assert md5(content).hexdigest() == digest
