"""The guides: every bash block of them runs as it stands, in an empty folder, and every link leads somewhere."""

import re
import subprocess
from pathlib import Path

import pytest
from e2e_processes import reader_environment

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs").rglob("*.md"))
# A block that trains tells a whole search.
BLOCKS = [
    pytest.param(guide.name, block, marks=[pytest.mark.slow] if "shibori worker --processes" in block else [])
    for guide in GUIDES
    for block in re.findall(r"^```bash\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize(("guide", "block"), BLOCKS)
def test_a_block_of_a_guide_runs(guide: str, block: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=tmp_path,
        env=reader_environment() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, f"{guide}\n{ran.stdout}\n{ran.stderr}"
    assert any(tmp_path.iterdir())


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_the_links_of_a_guide_lead_somewhere(guide: Path) -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", guide.read_text("utf-8")) if "://" not in target]
    assert [target for target in targets if not (guide.parent / target).is_file()] == []
