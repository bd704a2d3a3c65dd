"""Whatever clients, workers, time and misfortune do, in any order: nothing is lost, and nothing is counted twice."""

import os
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.harness import Api
from tests.proof.clients import Clients
from tests.proof.direct import DirectApi

STEPS = 36
PHASES = (Phase.reuse, Phase.generate, Phase.shrink)
"""To explain what was found would take longer than to find it."""
FEW = 8
MANY = int(os.environ.get("SHIBORI_STATE_MACHINES", "200"))
"""How many sequences the longer form tries on each database."""


@pytest.fixture(scope="module")
def api(shared_url: str, suggesting_on_demand: None) -> Iterator[Api]:
    running = DirectApi(shared_url)
    yield running
    running.stop()


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


def test_a_few_sequences_of_requests_keep_every_promise(api: Api) -> None:
    run_state_machine_as_test(partial(Clients, api), settings=sequences(FEW, derandomize=True, database=None))


@pytest.mark.slow
def test_many_sequences_of_requests_keep_every_promise(api: Api) -> None:
    run_state_machine_as_test(partial(Clients, api), settings=sequences(MANY))
