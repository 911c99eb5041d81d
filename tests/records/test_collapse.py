"""What counts as a collapsed seed, and how often an arm's seeds collapse or fail, against arithmetic by hand."""

import math

import pytest
from scipy import stats

from reid_search.records import Collapse, SeedCounts, Status, collapse_of

CHANCE, DEVIATION, UNTRAINED = 0.016, 0.003, 0.048
HERE = {"test/mAP_chance": CHANCE, "test/mAP_chance_sd": DEVIATION, "test/mAP_untrained": UNTRAINED}


@pytest.mark.parametrize(
    ("value", "known", "expected"),
    [
        (0.0229, HERE, "at chance"),
        (0.0231, HERE, "untrained"),
        (UNTRAINED, HERE, "untrained"),
        (0.0481, HERE, ""),
        (0.0229, {"test/mAP_chance": CHANCE}, ""),
        (CHANCE, {"test/mAP_chance": CHANCE}, "at chance"),
        (CHANCE, {"test/mAP_chance": CHANCE, "test/mAP_untrained": math.nan}, "at chance"),
        (0.03, {"test/mAP_untrained": UNTRAINED}, "untrained"),
        (0.0, {"val/mAP_chance": CHANCE, "val/mAP_untrained": UNTRAINED}, ""),
        (math.nan, HERE, ""),
    ],
)
def test_a_seed_collapses_at_chance_or_untrained_on_its_own_split(value, known, expected):
    assert collapse_of({"test/mAP": value, **known}, "test") == expected


def test_a_seed_that_was_not_tested_has_not_collapsed():
    assert collapse_of({}, "test") == Collapse.NONE


def counts(collapsed, finished, failed=0, waiting=0, how=Collapse.AT_CHANCE):
    seeds = [(Status.FINISHED, how)] * collapsed + [(Status.FINISHED, Collapse.NONE)] * (finished - collapsed)
    return SeedCounts.of(
        seeds + [(Status.FAILED, Collapse.NONE)] * failed + [(Status.WAITING, Collapse.NONE)] * waiting
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (counts(2, 8), "collapsed 2 of 8 (3 to 65 %)"),
        (counts(1, 7, failed=1), "collapsed 1, failed 1: 2 of 8 (3 to 65 %)"),
        (counts(0, 6, failed=2, waiting=3), "failed 2 of 8 (3 to 65 %)"),
        (counts(0, 8), "collapsed 0 of 8 (0 to 37 %)"),
        (counts(0, 0, waiting=2), "collapsed –"),
    ],
)
def test_the_rate_in_words(found, words):
    assert str(found) == words


@pytest.mark.parametrize(("lost", "ended"), [(0, 3), (2, 8), (5, 5), (1, 20)])
def test_the_interval_is_that_at_whose_ends_the_outcome_has_probability_a_fortieth(lost, ended):
    low, high = counts(lost, ended).interval
    if lost:
        assert stats.binom.sf(lost - 1, ended, low) == pytest.approx(0.025, abs=1e-6)
    else:
        assert low == 0
    if lost < ended:
        assert stats.binom.cdf(lost, ended, high) == pytest.approx(0.025, abs=1e-6)
    else:
        assert high == 1


@pytest.mark.parametrize(
    ("found", "flag"),
    [
        (counts(3, 3), "at chance"),
        (counts(3, 3, failed=1, waiting=1), "at chance"),
        (counts(3, 3, how=Collapse.UNTRAINED), "untrained"),
        (SeedCounts(asked=3, finished=3, collapsed=3, at_chance=2), "untrained"),
        (counts(2, 3), ""),
        (counts(0, 0, failed=3), ""),
    ],
)
def test_an_arm_is_flagged_if_every_finished_seed_collapsed(found, flag):
    assert found.flag == flag
