import numpy as np
import pytest

from analysis.statistics.signed_rank import RankEffect
from analysis.statistics.verdict import of_claim


def effect(low, high):
    return RankEffect(9, (low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.05, "supported"),
        (0.0, 0.05, "undecided"),
        (-0.02, 0.05, "undecided"),
        (-0.05, -0.001, "contradicted"),
        (-0.05, 0.0, "undecided"),
        (-0.009, 0.009, "negligible"),
        (0.001, 0.009, "negligible"),
        (-0.009, -0.001, "negligible"),
        (-0.009, 0.01, "undecided"),
        (np.nan, np.nan, "undecided"),
    ],
)
def test_the_interval_alone_decides(low, high, verdict):
    assert of_claim(effect(low, high), 0.01) == verdict


@pytest.mark.parametrize(
    ("control", "excess", "within", "verdict"),
    [
        ((-0.05, 0.05), (0.001, 0.1), None, "supported"),
        ((0.02, 0.05), (0.001, 0.1), None, "supported"),  # the claim is what the effect exceeds its control by
        ((0.02, 0.05), (-0.02, 0.1), None, "persists under the control"),
        ((0.02, 0.05), (-0.02, 0.1), 0.03, "control undecided"),
        ((0.0, 0.05), (-0.02, 0.1), None, "control undecided"),
        ((0.005, 0.05), (-0.02, 0.1), 0.0, "persists under the control"),
    ],
)
def test_a_control_decides_what_an_effect_means(control, excess, within, verdict):
    assert of_claim(effect(0.03, 0.06), 0.01, effect(*control), effect(*excess), within) == verdict


def test_one_seed_has_no_verdict():
    assert of_claim(RankEffect(1, 0.05), 0.01) == "no verdict"
