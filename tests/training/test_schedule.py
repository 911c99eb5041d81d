"""Learning rates."""

import math

import pytest

from reid_search.study.trial.training import ScheduleConfig
from reid_search.training.schedule import learning_rate_factor


@pytest.mark.parametrize(
    ("kind", "share", "factor"),
    [
        ("cosine", 0.0, 0.01),
        ("cosine", 0.1, 0.505),
        ("cosine", 0.2, 1.0),
        ("cosine", 0.6, 0.5),
        ("cosine", 0.8, 0.5 * (1 + math.cos(math.pi * 0.75))),
        ("step", 0.2, 1.0),
        ("step", 0.5, 0.1),
        ("step", 0.74, 0.1),
        ("step", 0.75, 0.01),
        ("constant", 0.99, 1.0),
    ],
)
def test_factors(kind: str, share: float, factor: float) -> None:
    config = ScheduleConfig(kind=kind, warmup=0.2, milestones=(0.5, 0.75), gamma=0.1)
    assert learning_rate_factor(config, share) == pytest.approx(factor)


@pytest.mark.parametrize(("numerator", "denominator"), [(2, 3), (1, 3), (5, 14), (11, 14), (10, 11), (4, 15)])
def test_a_share_of_eight_decimals_falls_with_the_batch_of_the_fraction(numerator: int, denominator: int) -> None:
    """.66666667 is more than two thirds, which is where the step begins that should have the lower rate."""
    config = ScheduleConfig(kind="step", warmup=0.0, milestones=(round(numerator / denominator, 8),), gamma=0.1)
    for steps in (denominator * 50, denominator * 100_000):
        falls = numerator * steps // denominator
        factors = [learning_rate_factor(config, step / steps) for step in (falls - 1, falls)]
        assert factors == pytest.approx([1.0, 0.1])


@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_cosine_ends_at_its_floor_and_never_rises_after_warm_up(floor: float) -> None:
    config = ScheduleConfig(kind="cosine", warmup=0.1, floor=floor)
    factors = [learning_rate_factor(config, share / 1000) for share in range(100, 1000)]
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] == pytest.approx(floor, abs=1e-4)


def test_no_warm_up_starts_at_the_full_rate() -> None:
    assert learning_rate_factor(ScheduleConfig(warmup=0.0), 0.0) == 1.0


def test_warm_up_starts_where_it_is_told_and_a_delayed_cosine_stays_flat_first() -> None:
    """fast-reid's MGN: a tenth of the rate at first, flat to half of the epochs, then down to 0.002 of it."""
    config = ScheduleConfig(kind="cosine", warmup=0.1, warmup_start=0.1, delay=0.5, floor=0.002)
    assert learning_rate_factor(config, 0.0) == pytest.approx(0.1)
    assert learning_rate_factor(config, 0.05) == pytest.approx(0.55)
    assert {learning_rate_factor(config, share) for share in (0.1, 0.3, 0.5)} == {1.0}
    assert learning_rate_factor(config, 0.75) == pytest.approx(0.002 + 0.998 * 0.5)
    assert learning_rate_factor(config, 1.0) == pytest.approx(0.002)


def test_a_delay_within_warm_up_changes_nothing() -> None:
    plain, delayed = (ScheduleConfig(kind="cosine", warmup=0.2, delay=delay) for delay in (0.0, 0.15))
    for share in (0.1, 0.2, 0.5, 0.9):
        assert learning_rate_factor(plain, share) == learning_rate_factor(delayed, share)


def test_poly_falls_at_every_tenth() -> None:
    """SPReID's code: (1 - iteration / all) to the power .9, whenever a tenth of them is over."""
    config = ScheduleConfig(kind="poly", warmup=0.0)
    assert {learning_rate_factor(config, share) for share in (0.0, 0.05, 0.0999)} == {1.0}
    for tenth in range(1, 10):
        for share in (tenth / 10 + 1e-9, tenth / 10 + 0.09):
            assert learning_rate_factor(config, share) == pytest.approx((1 - tenth / 10) ** 0.9)
