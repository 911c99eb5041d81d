"""A store that the code before the typed log wrote opens, and reports the contrasts that it reported then."""

import json
from pathlib import Path

import pandas as pd

import analysis
from analysis.answers.claims import answer_claims
from analysis.reporting.formats import points
from reid_search.records import StudyStore, read_state

STORES = Path(__file__).parents[2] / "stores"


def as_written(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a table as it comes back from a CSV file."""
    table.to_csv(path, index=False)
    return pd.read_csv(path)


def test_arms_and_proposals_are_the_same(before: Path, tmp_path: Path) -> None:
    for name, table in (("arms", analysis.load_arms(before)), ("search", analysis.load_search(before))):
        then = pd.read_csv(STORES / f"before_{name}.csv")
        now = as_written(table, tmp_path / "now.csv")
        pd.testing.assert_frame_equal(now[list(then.columns)], then, check_exact=True)


def test_contrasts_and_verdicts_are_the_same(before: Path, tmp_path: Path) -> None:
    arms = analysis.load_arms(before)
    phases = [phase for phase in arms["phase"].unique() if phase != "decide"]
    tables = [analysis.contrasts(arms[arms["phase"] == phase]).assign(phase=phase) for phase in phases]
    then = pd.read_csv(STORES / "before_contrasts.csv")
    pd.testing.assert_frame_equal(as_written(pd.concat(tables), tmp_path / "now.csv"), then, rtol=1e-12)


def test_claims_have_the_same_effects_and_today_s_verdicts(before: Path) -> None:
    """What four seeds decided then, by a t test, they cannot decide; and in most seeds an arm is at chance."""
    verdicts = json.loads((STORES / "before_verdicts.json").read_text())["verdicts"]
    answers = answer_claims(read_state(StudyStore.at(before)), analysis.load_arms(before))
    found = [(answer.claim.name, answer.verdict, points(answer.with_collapsed)) for answer in answers]
    assert found == [(name, "no verdict", sentence.split()[0]) for name, _, sentence in verdicts]
    assert [answer.because for answer in answers] == ["an arm collapsed in 3 of 4 seeds"] * 2


def test_each_trial_shows_what_stands_for_those_who_asked(before: Path) -> None:
    arms, trials = analysis.load_arms(before), analysis.load_trials(before).set_index(["key", "seed"])
    assert not trials.index.duplicated().any()
    further = 0
    for arm in arms.itertuples():
        row = trials.loc[(arm.key, arm.seed)]
        own = row["readout"] == arm.stored_as
        further += not own
        prefix = "" if own else f"{arm.stored_as}/"
        shown = {metric: row[f"{prefix}test/{metric}"] for metric in ("mAP", "rank1", "mINP")}
        assert shown == {metric: arms.loc[arm.Index, f"test/{metric}"] for metric in shown}
        assert arm.arm in row["asked_by"].split(", ")
    assert further
