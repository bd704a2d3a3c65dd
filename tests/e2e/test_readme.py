"""The README: every bash block of it runs as it stands, or names something that is there."""

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from e2e_processes import PATIENCE_SECONDS, reader_environment

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"make ([a-z-]+)\n")
COMPOSE = re.compile(r"docker compose up --build --scale (\w+)=\d+\n")
DOWNLOAD = re.compile(r"(python -m trainer\.data download mnist --to mnist)\n(export SHIBORI_DATA_DIR=.*)\n")
FULL_MNIST = os.environ.get("SHIBORI_TEST_MNIST")
WALK = [block for block in BLOCKS if re.search(r"^(curl|until curl) ", block, re.MULTILINE)]
LIMIT_SECONDS = 2 * PATIENCE_SECONDS
END = "<<end>>"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block of the walk prints, all run in one shell, as a reader would."""
    folder = tmp_path_factory.mktemp("readme")
    with (folder / "out").open("wb") as out, (folder / "err.log").open("wb") as err:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", "".join(f"{block}printf '{END}'\n" for block in WALK)],
            cwd=folder,
            env=reader_environment(),
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            code = shell.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end(shell)
    printed = (folder / "out").read_text(encoding="utf-8")
    logs = "\n".join(f"{log.name}: {log.read_text(encoding='utf-8')}" for log in sorted(folder.glob("*.log")))
    assert code == 0, f"{printed}\n{logs}"
    assert (folder / "learning-curves.png").read_bytes().startswith(b"\x89PNG")
    return printed.split(END)


def end(shell: "subprocess.Popen[bytes]") -> None:
    """Ends whatever the shell has left behind; it has a process group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()


def printed_by(said: list[str], words: str) -> str:
    """What the first block with these words in it printed."""
    return said[next(number for number, block in enumerate(WALK) if words in block)]


def test_every_block_is_run_or_checked() -> None:
    others = [block for block in BLOCKS if block not in WALK]
    checked = (MAKE, COMPOSE, DOWNLOAD)
    unchecked = [block for block in others if not any(kind.fullmatch(block) for kind in checked)]
    assert WALK
    assert unchecked == []


def test_every_fence_is_bash_or_a_drawing() -> None:
    fences = re.findall(r"^```(.*)$", README, re.MULTILINE)
    assert set(fences[::2]) == {"bash", "text"}
    assert set(fences[1::2]) == {""}
    assert fences.count("bash") == len(BLOCKS)


def test_make_blocks_name_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [match[1] for block in BLOCKS if (match := MAKE.fullmatch(block))]
    assert targets == ["demo", "test"]
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_compose_block_scales_a_service_of_the_compose_file() -> None:
    services = [match[1] for block in BLOCKS if (match := COMPOSE.fullmatch(block))]
    assert services == ["worker"]
    assert re.search(r"^  worker:$", (ROOT / "docker-compose.yml").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.skipif(not FULL_MNIST, reason="SHIBORI_TEST_MNIST names no folder with the full set")
def test_the_download_block_fetches_what_trains_on_all_of_mnist(tmp_path: Path) -> None:
    (download,) = [match for block in BLOCKS if (match := DOWNLOAD.fullmatch(block))]
    mirror = f"--mirror {Path(FULL_MNIST or '').resolve().as_uri()}"
    count = "python -c 'from trainer.data import training_images as i; print(len(i(\"mnist\")))'"
    ran = subprocess.run(
        ["bash", "-euc", f"{download[1]} {mirror}\n{download[2]}\n{count}"],
        cwd=tmp_path,
        env=reader_environment() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "60000\n"


def test_links_and_pictures_are_there() -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert "docs/images/learning-curves.png" in targets
    assert [target for target in targets if not (ROOT / target).is_file()] == []


def test_the_walk_submits_a_study(said: list[str]) -> None:
    assert '"name":"first-study"' in printed_by(said, '"budget": {"trials": 30}').replace(" ", "")


def test_the_walk_shows_the_best_five(said: list[str]) -> None:
    lines = printed_by(said, "best?n=5").splitlines()
    assert [line.split(" ")[0] for line in lines] == [f"Best-{rank}" for rank in range(1, 6)]
    assert "lr:" in lines[0]


def test_the_walk_narrows_and_opens_a_round(said: list[str]) -> None:
    assert '"verdict":"narrow"' in printed_by(said, "/narrowing")
    opened = printed_by(said, "/rounds")
    assert '"origin":"proposal"' in opened
    assert "Best-5" in opened


def test_the_walk_confirms_the_best_and_opens_the_test_set_once(said: list[str]) -> None:
    confirmed = printed_by(said, "study confirm")
    assert confirmed.startswith("completed: 3 trials, 5 seeds")
    assert '"difference":{' in confirmed
    tested = printed_by(said, "study final-test")
    assert tested.startswith("test accuracy 0.")
    assert '"samples":359' in tested
