import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from trainer import optimizers, registry
from trainer.optimizers.base import Optimizer
from trainer.optimizers.momentum import Momentum
from trainer.optimizers.sgd import SGD

G1, G2 = np.array([1.0, -2.0]), np.array([0.5, 4.0])


def test_sgd_moves_against_the_gradient() -> None:
    w = np.array([1.0, 2.0])
    SGD(w).update(w, G1.copy(), 0.1)
    np.testing.assert_allclose(w, [0.9, 2.2])


def test_momentum_keeps_part_of_its_velocity() -> None:
    w = np.array([1.0, 2.0])
    optimizer = Momentum(w, momentum=0.8)
    optimizer.update(w, G1.copy(), 0.1)
    optimizer.update(w, G2.copy(), 0.1)
    v1 = -0.1 * G1
    v2 = 0.8 * v1 - 0.1 * G2
    np.testing.assert_allclose(w, np.array([1.0, 2.0]) + v1 + v2)


@pytest.mark.parametrize("name", sorted(optimizers.known()))
def test_an_optimizer_works_in_place_allocates_nothing_and_keeps_the_dtype(name: str) -> None:
    w = np.zeros(100_000, np.float32)
    gradients = np.random.default_rng(0).normal(size=w.size).astype(np.float32)
    place, optimizer = w.ctypes.data, optimizers.create(name, w)
    optimizer.update(w, gradients.copy(), 0.1)
    assert (w.ctypes.data, w.dtype) == (place, np.float32)
    assert np.all(np.sign(w) == -np.sign(gradients))
    tracemalloc.start()
    try:
        for _ in range(10):
            optimizer.update(w, gradients, 0.1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < w.nbytes / 10


@pytest.mark.parametrize("name", sorted(optimizers.known()))
def test_an_optimizer_comes_down_a_bowl(name: str) -> None:
    w = np.array([-3.0, 4.0])
    optimizer = optimizers.create(name, w, momentum=0.5)
    for _ in range(2_000):
        optimizer.update(w, 2 * w, 0.1)
    assert float(np.sum(w**2)) < 0.1


def test_the_first_step_of_adam_is_as_long_as_the_learning_rate_whatever_the_gradient() -> None:
    for size in (1e-3, 1.0, 1e3):
        w = np.zeros(2)
        optimizers.create("adam", w).update(w, np.array([size, -size]), 0.1)
        np.testing.assert_allclose(w, [-0.1, 0.1], rtol=1e-4)


def test_adamw_shrinks_the_weights_alone_and_by_no_gradient() -> None:
    w = np.ones(4)
    optimizers.create("adamw", w, weight_decay=0.5, decaying=2).update(w, np.zeros(4), 0.1)
    np.testing.assert_allclose(w, [0.95, 0.95, 1.0, 1.0])
    assert [name for name, kind in optimizers.known().items() if kind.decays] == ["adamw"]


def test_an_optimizer_gets_the_settings_that_it_has() -> None:
    momentum = optimizers.create("momentum", G1, momentum=0.3)
    assert isinstance(momentum, Momentum)
    assert momentum.momentum == 0.3
    assert isinstance(optimizers.create("sgd", G1, momentum=0.3), SGD)
    with pytest.raises(KeyError):
        optimizers.create("nonesuch", G1)


def test_an_optimizer_without_its_update_says_so() -> None:
    with pytest.raises(NotImplementedError):
        Optimizer(G1).update(G1, G2, 0.1)


def test_a_new_file_registers_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "dropped_in"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "lazy.py").write_text(
        "from trainer.optimizers.base import Optimizer\nclass Lazy(Optimizer):\n    name = 'lazy'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    assert [kind.name for kind in registry.classes("dropped_in", Optimizer)] == ["lazy"]
