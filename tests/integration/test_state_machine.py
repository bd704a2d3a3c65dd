"""Whatever clients, workers, time and misfortune do, in whatever order: nothing is lost and nothing is counted twice."""

import os
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from service.suggesting import Suggester
from tests.integration.harness import Api
from tests.proof.clients import Clients

STEPS = 40
PHASES = tuple(Phase[name] for name in os.environ.get("SHIBORI_PHASES", "reuse generate shrink").split())
FEW = 12
MANY = int(os.environ.get("SHIBORI_STATE_MACHINES", "200"))
"""How many sequences the longer form tries on each database."""


@pytest.fixture(scope="module", autouse=True)
def suggesting_on_demand() -> Iterator[None]:
    """Slow suggestions are made when the machine says so, not when a thread comes to it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Suggester, "suggest_for_all", lambda _: None)
        yield


def sequences(count: int, **more: object) -> settings:
    return settings(
        max_examples=count,
        stateful_step_count=STEPS,
        deadline=None,
        print_blob=True,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
        **more,
    )


def test_a_few_sequences_of_requests_keep_every_promise(shared_api: Api) -> None:
    run_state_machine_as_test(partial(Clients, shared_api), settings=sequences(FEW, derandomize=True, database=None))


@pytest.mark.slow
def test_many_sequences_of_requests_keep_every_promise(shared_api: Api) -> None:
    run_state_machine_as_test(partial(Clients, shared_api), settings=sequences(MANY))
