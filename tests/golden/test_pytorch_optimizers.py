"""Every optimizer takes the steps that PyTorch's takes, as they were recorded."""

import json

import pytest
from pytorch_optimizers import CASES, GOLDEN, STEPS, bowl

from trainer import optimizers


def test_there_is_a_case_for_every_optimizer() -> None:
    assert set(CASES) == set(optimizers.known())


@pytest.mark.parametrize("name", sorted(optimizers.known()))
def test_fifty_steps_end_where_those_of_pytorch_end(name: str) -> None:
    a, b, w = bowl()
    settings = dict(CASES[name])
    lr = settings.pop("lr")
    optimizer = optimizers.create(name, w, **settings)
    for _ in range(STEPS):
        optimizer.update(w, a @ w - b, lr)
    assert w.tolist() == pytest.approx(json.loads(GOLDEN.read_text())[name], rel=1e-9, abs=1e-12)
