import math

import pytest

from analysis.answers.claim_answer import ClaimAnswer
from analysis.answers.over_people import OverPeople
from analysis.reporting.claims import describe_claim, family_notes, views_of, whom_all
from analysis.reporting.describe_people import describe_people, people_in_short
from analysis.statistics.crossed import CrossedEffect
from analysis.statistics.signed_rank import RankEffect
from reid_search.records.claims import Claim

ARMS = [{"arm": "baseline", "mAP": 0.6}, {"arm": "a=1", "axis": "a", "level": "1", "mAP": 0.65, "delta": 0.05}]
WIDE, CLEAR = CrossedEffect(9, 100, 0.03, -0.012, 0.083), CrossedEffect(9, 100, 0.03, 0.01, 0.05)


def answer_of(people, verdict="supported"):
    effect = RankEffect(9, 0.03, 0.01, 0.05, 0.05, 0.01, 0.001)
    claim = Claim("name", {"smallest_effect": 0.01}, "2026")
    return ClaimAnswer(claim, "test/mAP", verdict, effect=effect, people=people)


@pytest.mark.parametrize(
    ("people", "verdict", "words", "short"),
    [
        (
            OverPeople(redrawn=True), "supported",
            "It is about other seeds and other people, since every seed drew its own.", "every seed drew its own",
        ),
        (
            OverPeople(effect=WIDE, verdict="undecided"), "supported",
            "It is about other seeds and these 100 people; for other people it is undecided (−1.20 to +8.30).",
            "undecided [−1.20 to +8.30]",
        ),
        (
            OverPeople(effect=WIDE, verdict="undecided"), "undecided",
            "these 100 people; for other people it is undecided too (−1.20 to +8.30).", "undecided [−1.20 to +8.30]",
        ),
        (
            OverPeople(effect=CLEAR, verdict="supported"), "supported",
            "these 100 people; for other people it holds too (+1.00 to +5.00).", "supported [+1.00 to +5.00]",
        ),
        (
            OverPeople(effect=CLEAR, excess=WIDE, verdict="undecided"), "supported",
            "it is undecided (+1.00 to +5.00; the excess −1.20 to +8.30).",
            "undecided [+1.00 to +5.00; the excess −1.20 to +8.30]",
        ),
        (
            OverPeople(), "supported",
            "the people of the data; for other people it is unknown, since results of queries are missing.", "–",
        ),
    ],
)  # fmt: skip
def test_a_claim_says_whom_its_verdict_is_about(people, verdict, words, short):
    answer = answer_of(people, verdict)
    assert describe_claim(answer).endswith(words)
    assert people_in_short(answer) == short
    noted = any("after training on the same people" in note for note in family_notes([answer]))
    assert noted is bool(people.verdict)


@pytest.mark.parametrize(
    ("people", "once", "left"),
    [
        (
            [OverPeople(effect=WIDE, verdict="undecided"), OverPeople(effect=CLEAR, verdict="supported")],
            "The verdicts on its claims are about other seeds and these 100 people.",
            ["For other people it is undecided (−1.20 to +8.30).", "For other people it holds too (+1.00 to +5.00)."],
        ),
        (
            [OverPeople(redrawn=True)] * 2,
            "The verdicts on its claims are about other seeds and other people, since every seed drew its own.",
            ["9 seeds."] * 2,
        ),
        (
            [OverPeople()] * 2,
            "The verdicts on its claims are about other seeds and the people of the data.",
            ["For other people it is unknown, since results of queries are missing."] * 2,
        ),
        (
            [OverPeople(redrawn=True), OverPeople(effect=CLEAR, verdict="supported")], "",
            ["since every seed drew its own.", "and these 100 people; for other people it holds too (+1.00 to +5.00)."],
        ),
        ([OverPeople(redrawn=True)], "", ["It is about other seeds and other people, since every seed drew its own."]),
    ],
)  # fmt: skip
def test_whom_all_claims_are_about_is_said_once_and_of_each_only_where_they_differ(people, once, left):
    answers = [*map(answer_of, people), answer_of(OverPeople(), "not yet")]
    assert whom_all(answers) == once
    views = views_of(answers)
    assert all(view.sentence.endswith(words) for view, words in zip(views, left, strict=False))
    assert any("about other seeds" in view.sentence for view in views) is not bool(once)


def test_a_claim_without_a_verdict_is_about_nobody():
    answer = answer_of(OverPeople(redrawn=True), "not yet")
    assert "people" not in describe_claim(answer)
    assert people_in_short(answer) == "–"


@pytest.mark.parametrize(("others", "notes"), [(1, 1), (61, 2)])
def test_many_arms_say_how_many_have_an_interval_over_people(ablation_of, others, notes):
    arms = [ARMS[0], *(ARMS[1] | {"arm": f"a={number}"} for number in range(others))]
    assert list(describe_people(ablation_of(arms, {}))) == []
    arms[1] |= {"people_low": 0.01, "people_high": 0.09}
    found = list(describe_people(ablation_of(arms, {})))
    assert len(found) == notes
    assert "about other seeds and these people" in found[0]
    assert ("Of 61 arms, the 60 furthest from the baseline" in found[-1]) is (others == 61)


def test_arms_whose_seeds_drew_their_own_people_say_so(ablation_of):
    (said,) = describe_people(ablation_of(ARMS, {}, redrawn=True))
    assert said == "The 95 % intervals are about other seeds, people and cameras, since every seed drew its own."
    assert math.isnan(ablation_of(ARMS, {}, redrawn=True).arms["people_low"].iloc[0])
