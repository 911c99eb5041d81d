"""The three lines at the top of a report."""

import pytest

from analysis.answers.claim_answer import NOT_YET, ClaimAnswer
from analysis.answers.study_answers import StudyAnswers, answer_study
from analysis.reading.arms import arms_table
from analysis.reading.proposals import search_table
from analysis.reporting.answer import answer_in_short
from analysis.reporting.labels import Labels
from analysis.statistics import verdict
from reid_search.records import Claim, read_state

CLAIM = Claim("any", {"smallest_effect": 0.01}, "2026-01-01T00:00:00Z")


def in_short(study, labels=None):
    state = read_state(study.store)
    arms = arms_table(state)
    found = answer_study(state, arms, search_table(state), 0.01)
    return answer_in_short(found, arms, labels or Labels())


def test_a_study_says_its_verdicts_its_centre_and_its_best(study):
    verdicts, centre, best = in_short(study)
    assert verdicts == "Of 3 arms of ‘ablate’ beside the baseline, 1 is worse and 2 inconclusive."
    assert centre == "The baseline reaches 60.6 ± 0.7 % test/mAP (3 seeds)."
    assert best.startswith("The best of ‘search’ reaches 53.0 % val/mAP")
    assert best.endswith("with model.parts = [1, 2, 3], losses.triplet.margin = 0.6.")


def test_settings_have_the_names_of_the_study(study):
    labels = Labels(("model.parts",), {"model.parts": "branches"}, {"model.parts": {"[1, 2, 3]": "three"}})
    assert "with branches = three, losses" in in_short(study, labels)[2]


def test_chance_and_the_untrained_network_stand_beside_the_centre(empty, result_of):
    empty.begin()
    empty.ask_arms(["baseline"], seeds=2)
    for seed, mean in ((1, 0.6), (2, 0.5)):
        found = result_of("test", mean, 0.8)
        metrics = {**found.metrics, "test/mAP_chance": 0.02, "test/mAP_untrained": 0.05 * seed}
        empty.trial("a" * 16, seed, readouts={"default": found.model_copy(update={"metrics": metrics})})
    [centre] = in_short(empty)
    assert centre.endswith("(2 seeds); a random ranking 2.0 % and its untrained network 7.5 %.")


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([verdict.SUPPORTED], "Of 1 claim, 1 is supported."),
        ([verdict.UNDECIDED, verdict.SUPPORTED, verdict.SUPPORTED], "Of 3 claims, 2 are supported and 1 undecided."),
        ([NOT_YET, verdict.PERSISTS], "Of 2 claims, 1 is there under the control too and 1 not yet decided."),
    ],
)
def test_claims_are_counted_by_verdict(empty, verdicts, said):
    empty.begin()
    claims = tuple(ClaimAnswer(CLAIM, "test/mAP", one) for one in verdicts)
    arms = arms_table(read_state(empty.store))
    assert answer_in_short(StudyAnswers(claims, (), ()), arms, Labels()) == [said]


def test_nothing_is_said_of_what_is_not_measured(empty):
    empty.begin()
    assert in_short(empty) == ["Nothing is measured yet."]
    empty.ask_proposal(0)
    empty.ask_arms(seeds=2)
    empty.arm_trial("baseline", 1, record=False)
    assert in_short(empty) == ["Nothing is measured yet."]
