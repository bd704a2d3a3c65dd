"""The demonstration: it tells its story, and whatever ends it, nothing of it stays behind."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from e2e_processes import PATIENCE_SECONDS, SHIBORI, Server, alive, eventually, pid_of

from client import ApiError, Client, Retry

STORY_SECONDS = 3 * PATIENCE_SECONDS


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A demonstration whose output is in `out` and `err` of the folder."""
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [*SHIBORI, "demo", "--processes", "2", "--dir", str(folder / "demo"), *arguments],
            stdout=out,
            stderr=err,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def two_workers_of(url: str) -> list[int]:
    """The two worker processes of a server, once both have finished a trial; none before."""
    try:
        items = Client(url, retry=Retry(total_seconds=0)).workers().items
    except ApiError:
        return []
    pids = [pid_of(worker.name) for worker in items if worker.completed]
    return pids if len(pids) == 2 else []


@pytest.mark.slow
def test_the_demonstration_tells_its_story_to_the_test_set_and_draws(tmp_path: Path) -> None:
    with demo(tmp_path, "--trials", "6", "--more", "3") as process:
        assert process.wait(STORY_SECONDS) == 0, (tmp_path / "err").read_text()
    said = (tmp_path / "out").read_text()
    assert re.search(r"^Best-1 \(val acc:0\.\d+\) \| lr:[\d.e-]+, weight_decay:[\d.e-]+$", said, re.MULTILINE)
    assert len(re.findall(r"^Best-\d+ ", said, re.MULTILINE)) == 6
    assert re.search(r"^  lr: (keep|narrow|widen) ", said, re.MULTILINE)
    assert re.search(r"^  weight_decay: (keep|narrow|widen) ", said, re.MULTILINE)
    assert "6 trials took" in said
    assert said.count("3 trials took") == 2
    assert re.search(r"The best (is still|went from)", said)
    assert len(re.findall(r"^  \d\. trial \d+: 0\.\d+ \(", said, re.MULTILINE)) == 5
    assert said.count("on 1000 test samples") == 2
    assert re.search(r"this search reached 0\.\d+, the classic procedure 0\.\d+\.", said)
    assert "serve --database sqlite:///" in said
    for figure in ("learning-curves.png", "learning-curves-after.png"):
        assert (tmp_path / "demo" / figure).read_bytes().startswith(b"\x89PNG")
    assert "9/9" in (tmp_path / "err").read_text()


@pytest.mark.slow
def test_the_whole_demonstration_widens_the_learning_rate_and_leaves_weight_decay_alone(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.wait(8 * PATIENCE_SECONDS) == 0, (tmp_path / "err").read_text()
    said = (tmp_path / "out").read_text()
    assert re.search(r"^  lr: widen 1e-06\.\.0\.01 to .*widen upwards to 1", said, re.MULTILINE)
    assert re.search(r"^  weight_decay: keep .*the data cannot tell\.$", said, re.MULTILINE)
    found, classic = re.findall(r"test accuracy (0\.\d+)", said)
    assert float(found) > float(classic)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 130, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, -9, marks=pytest.mark.slow),
    ],
)
def test_a_demonstration_that_is_ended_takes_everything_with_it(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with demo(tmp_path, "--trials", "2000") as process:
        said = eventually(lambda: re.search(r"(http://\S+)/docs", (tmp_path / "out").read_text()), "the server")
        url = said[1]
        workers = eventually(lambda: two_workers_of(url), "two workers")
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == code, (tmp_path / "err").read_text()
    hasty = Client(url, retry=Retry(total_seconds=0))
    eventually(lambda: not hasty.ready(), "the end of the server")
    eventually(lambda: not any(alive(pid) for pid in workers), "the end of the workers")
    assert "Traceback" not in (tmp_path / "err").read_text()


def test_a_port_that_is_taken_is_told(tmp_path: Path, server: Server) -> None:
    port = str(server.port)
    with demo(tmp_path, "--port", port) as process:
        assert process.wait(PATIENCE_SECONDS) == 1
    said = (tmp_path / "err").read_text()
    assert "address already in use" in said
    assert "Traceback" not in said
