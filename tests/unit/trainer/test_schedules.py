import pytest

from trainer.schedules import ScheduleName, choose


@pytest.mark.parametrize("warmup", [0.0, 5.0])
@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("constant", {0.25: 1, 2.5: 1, 39.75: 1}),
        ("step", {0.25: 1, 9.75: 1, 10.25: 0.5, 20.5: 0.25, 39.75: 0.125}),
        ("exponential", {0.25: 1, 1.75: 0.5, 10.25: 0.5**10, 39.75: 0.5**39}),
        ("cosine", {0.0: 1, 10.0: 0.8535534, 20.0: 0.5, 30.0: 0.1464466, 40.0: 0}),
    ],
)
def test_schedules_are_their_formulas_after_a_straight_rise(
    name: ScheduleName, factors: dict[float, float], warmup: float
) -> None:
    schedule = choose(name, epochs=40, gamma=0.5, every=10, warmup_epochs=warmup)
    for time, factor in factors.items():
        rise = min(1.0, time / warmup) if warmup else 1.0
        assert schedule(time) == pytest.approx(factor * rise, abs=1e-7)
