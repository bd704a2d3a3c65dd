"""Some minutes of dying workers and servers and of lost answers, after which nothing is missing."""

import os
import random
from pathlib import Path

import pytest

from tests.integration.cluster import binaries
from tests.soak.run import Asked, soak

REQUIRED = os.environ.get("SHIBORI_REQUIRE_POSTGRESQL") == "1"


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "minutes"), [("sqlite", 2.0), ("postgresql", 0.75)])
def test_what_was_acknowledged_is_there_once_and_nothing_is_stuck(engine: str, minutes: float, tmp_path: Path) -> None:
    if engine == "postgresql" and binaries() is None and not REQUIRED:
        pytest.skip("no PostgreSQL server is installed here")
    seed = random.SystemRandom().randrange(2**32)
    found = soak(Asked(minutes, seed, engine, tmp_path))
    assert found.is_good, f"with the seed {seed}:\n{found}"
    assert found.findings.acknowledged["complete"]
    assert {"servers killed", "servers stopped past all leases"} <= found.happened.keys()
