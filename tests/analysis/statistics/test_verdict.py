import pytest

from analysis.statistics.effect import mean_effect
from analysis.statistics.verdict import of_control

NEAR_0 = [0.001, -0.001, 0.0005, -0.0005, 0.0]


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        (NEAR_0, "vanishes"),
        ([0.05 + value for value in NEAR_0], "persists"),
        ([-0.05 + value for value in NEAR_0], "reverses"),
        ([0.005 + value / 10 for value in NEAR_0], "vanishes"),
        ([0.05, -0.05, 0.04, -0.04, 0.01], "open"),
        ([0.05], "no verdict"),
    ],
)
def test_a_control_s_effect_vanishes_only_where_its_interval_is_small(effects, verdict):
    assert of_control(mean_effect(effects), 0.01) == verdict
