"""Arms that learnt nothing are no effect, in every table, and how often seeds collapse stands beside the effect."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import analysis
from analysis.answers.ablations import summarise_ablations
from analysis.answers.claims import answer_claims
from analysis.answers.collapse import flags
from analysis.answers.searches import summarise_searches
from analysis.reading.arms import arms_table
from analysis.reading.proposals import search_table
from reid_search.records import StudyStore, read_state

CHANCE = {"test/mAP_chance": 0.016, "test/mAP_chance_sd": 0.003, "test/mAP_untrained": 0.05}
VALUES = {
    "baseline": (0.40, 0.42, 0.41, 0.43, 0.40, 0.44),
    "better": (0.50, 0.53, 0.51, 0.52, 0.51, 0.54),
    "lossy": (0.41, 0.02, 0.42, 0.45, 0.045, None),  # at chance, untrained, failed
    "at chance": (0.016, 0.015, 0.017, 0.0165, 0.0135, 0.02),
    "untrained": (0.05, 0.04, 0.03, 0.02, 0.045, 0.03),
}
KEYS = {arm: f"{place:x}" * 16 for place, arm in enumerate(VALUES, start=1)}


def write(study, result_of, values=VALUES, chance=CHANCE, by="one_factor", seeds=6):
    study.begin()
    for arm, found in values.items():
        settings = {"model.parts": arm}
        study.ask_arms([arm], seeds, key=KEYS[arm], settings=settings, by=by, readouts={"default": "default"})
        for seed, value in enumerate(found, start=1):
            if value is None:
                study.trial(KEYS[arm], seed, status="failed", reason="the loss is NaN")
                continue
            result = result_of("test", value, 0.5)
            result = result.model_copy(update={"metrics": {**result.metrics, **chance}})
            study.trial(KEYS[arm], seed, readouts={"default": result})
    return study


def summary_of(study):
    state = read_state(study.store)
    (found,) = summarise_ablations(state, arms_table(state), 0.01)
    return found


def test_flags_name_the_arms_of_which_no_seed_learnt_anything(empty, result_of):
    rows = analysis.load_arms(write(empty, result_of).path)
    assert flags(rows) == {"at chance": "at chance", "untrained": "untrained"}
    assert flags(rows[rows["arm"] == "lossy"]) == {}


def test_arms_that_learnt_nothing_have_no_effect_and_come_last(empty, result_of):
    rows = write(empty, result_of)
    summary = summary_of(rows)
    arms = summary.arms.set_index("arm")
    assert list(arms.index) == ["baseline", "better", "lossy", "at chance", "untrained"]
    assert list(arms["flag"]) == ["", "", "", "at chance", "untrained"]
    assert list(arms["collapsed"]) == [0, 0, 2, 6, 6]
    assert list(arms["failed"]) == [0, 0, 1, 0, 0]
    assert arms.loc["lossy", "ended"] == "collapsed 2, failed 1: 3 of 6 (12 to 88 %)"
    interval = stats.binomtest(3, 6).proportion_ci(0.95)
    np.testing.assert_allclose(arms.loc["lossy", ["lost_low", "lost_high"]].astype(float), interval)
    numbers = ["delta", "low", "high", "p", "p_holm", "p_improve", "rank1_delta"]
    table = summary.contrasts.set_index("arm")
    for arm in ("at chance", "untrained"):
        assert arms.loc[arm, "verdict"] == table.loc[arm, "verdict"] == arm
        assert table.loc[arm, numbers].isna().all()
        assert arms.loc[arm, "mean" if "mean" in arms else "mAP"] == pytest.approx(np.mean(VALUES[arm]))
    assert arms.loc["better", "verdict"] == "better"
    assert arms.loc["better", "delta"] == pytest.approx(np.mean(np.subtract(VALUES["better"], VALUES["baseline"])))
    assert set(summary.compared["arm"]) == {"better", "lossy"}


def test_a_centre_that_learnt_nothing_has_no_contrasts(empty, result_of):
    values = {"baseline": VALUES["untrained"], "better": VALUES["better"]}
    summary = summary_of(write(empty, result_of, values))
    assert summary.compared.empty
    expected = "'baseline' is not above its untrained network in every seed, so a difference from it is no effect"
    assert summary.refusal == expected
    assert summary.contrasts["verdict"].tolist() == ["no verdict"]
    assert summary.contrasts["baseline_mean"].tolist() == pytest.approx([np.mean(VALUES["untrained"])])
    assert list(summary.arms["arm"]) == ["baseline", "better"]


def test_of_earlier_records_only_chance_counts_and_that_is_said(empty, result_of):
    summary = summary_of(write(empty, result_of, chance={"test/mAP_chance": 0.016}))
    assert list(summary.arms.set_index("arm")["collapsed"]) == [0, 0, 0, 3, 0]
    assert summary.without_untrained == 29
    page = analysis.write_report(empty.path).with_name("report.md").read_text()
    assert "The records of 29 finished seeds do not hold what the untrained network reached" in page


def test_the_report_flags_them_everywhere(empty, result_of):
    page = analysis.write_report(write(empty, result_of).path)
    html, markdown = page.read_text(), page.with_name("report.md").read_text()
    for text in (html, markdown):
        assert "learnt nothing in any seed" in text
        assert "12 to 88 %" in text
        assert "lossy: collapsed 2, failed 1: 3 of 6 (12 to 88 %)." in text
    assert '<span class="verdict at-chance">at chance</span>' in html
    tables = page.parent / "tables"
    contrasts = pd.read_csv(tables / "contrasts-ablate.csv").set_index("arm")
    assert list(contrasts["verdict"]) == ["better", contrasts.loc["lossy", "verdict"], "at chance", "untrained"]
    assert contrasts.loc["lossy", ["collapsed", "failed"]].tolist() == [2, 1]
    seeds = pd.read_csv(tables / "arms.csv")
    assert seeds["collapsed"].value_counts().to_dict() == collapsed_by_hand()
    assert "∅" in (tables / "contrasts-ablate.md").read_text()
    assert r"$\emptyset$" in (tables / "contrasts-ablate.tex").read_text()
    said = analysis.conclusion(empty.path)
    assert "ablate, lossy: collapsed 2, failed 1: 3 of 6 (12 to 88 %)" in said
    at_chance = "'at chance' is at chance in every seed, so a difference from it is no effect"
    assert f"ablate, at chance: collapsed 6 of 6 (54 to 100 %); {at_chance}" in said


def collapsed_by_hand():
    values = [value for found in VALUES.values() for value in found if value is not None]
    at_chance = sum(value <= 0.016 + 2.33 * 0.003 for value in values)
    return {"at chance": at_chance, "untrained": sum(value <= 0.05 for value in values) - at_chance}


@pytest.mark.parametrize(
    ("effect", "control", "verdict"),
    [
        ({"better": 1.0, "baseline": -1.0}, {}, None),
        ({"better": 1.0, "lossy": -1.0}, {}, None),
        ({"better": 1.0, "at chance": -1.0}, {}, "no verdict"),
        ({"untrained": 1.0, "baseline": -1.0}, {}, "no verdict"),
        ({"better": 1.0, "baseline": -1.0}, {"lossy": 1.0, "untrained": -1.0}, "no verdict"),
    ],
)
def test_a_claim_over_an_arm_that_learnt_nothing_has_no_verdict(empty, result_of, effect, control, verdict):
    content = {"better": {"x": "1"}, "than": {}, "metric": "mAP", "readout": "default", "smallest_effect": 0.01}
    write(empty, result_of, by="claims")
    empty.log("claim", claim="it", content=content)
    empty.log("contrast", claim="it", phase="ablate", effect=effect, control=control, missing=[])
    state = read_state(empty.store)
    (answer,) = answer_claims(state, arms_table(state))
    assert ("learnt" in answer.because or "in every seed" in answer.because) == (verdict is not None)
    if verdict is not None:
        assert answer.verdict == verdict
    counted = answer.arms.set_index("arm")["rate"]
    assert "lossy" not in counted or counted["lossy"] == "3 of 6 (12 to 88 %)"
    page = analysis.write_report(empty.path)
    assert ("so a difference from" in page.read_text()) == (verdict is not None)
    assert (pd.read_csv(page.parent / "tables/claims.csv")["lost"][0] != "–") == bool(
        {"lossy", "at chance", "untrained"} & (effect.keys() | control.keys())
    )


def test_studies_side_by_side(empty, result_of):
    paths = []
    for name, better in (("a", VALUES["better"]), ("b", VALUES["at chance"])):
        study = type(empty)(StudyStore(empty.store.storage, name))
        paths.append(write(study, result_of, {"baseline": VALUES["baseline"], "better": better}).path)
    table = analysis.compare_studies(paths).set_index(["arm", "study"])
    row = table.loc[("better", "b")]
    assert (row["verdict"], row["flag"], row["lost"]) == ("at chance", "at chance", "6 of 6 (54 to 100 %)")
    assert row[["delta", "low", "high", "p", "p_holm"]].isna().all()
    assert table.loc[("baseline", "b"), "delta"] == 0
    turned = analysis.compare_studies(paths[::-1]).set_index(["arm", "study"])
    assert turned.loc[("better", "a"), "verdict"] == "at chance"
    assert analysis.lost_seeds(table.reset_index()) == ["better of b: collapsed 6 of 6 (54 to 100 %)"]


def test_effects_of_a_design_are_left_out_where_they_average_over_them(factorial):
    path = next(iter(sorted(factorial.path.glob("trials/*-s1"))))
    assert (
        summarise_ablations((state := read_state(factorial.store)), arms_table(state), 0.01)[0].effects.unlearnt == ()
    )
    for folder in factorial.path.glob(f"trials/{path.name[:16]}-s*"):
        put_at_chance(folder, "test")
    state = read_state(factorial.store)
    effects = summarise_ablations(state, arms_table(state), 0.01)[0].effects
    assert effects.table.empty
    assert effects.unlearnt
    assert "average over arms that learnt nothing" in analysis.write_report(factorial.path).read_text()


def put_at_chance(folder: Path, split: str) -> None:
    record = json.loads((folder / "record.json").read_text())
    for readout in record["readouts"].values():
        readout["metrics"][f"{split}/mAP_chance"] = 0.99
    (folder / "record.json").write_text(json.dumps(record))


def test_a_best_proposal_at_chance_is_said_to_be_that(study):
    (summary,) = summarise_searches((state := read_state(study.store)), search_table(state))
    assert summary.collapsed == {}
    for folder in study.path.glob("trials/*-s10000"):
        put_at_chance(folder, "val")
    state = read_state(study.store)
    (summary,) = summarise_searches(state, search_table(state))
    assert set(summary.collapsed.values()) == {"at chance"}
    assert summary.best["number"] in summary.collapsed
    page = analysis.write_report(study.path)
    for text in (page.read_text(), page.with_name("report.md").read_text()):
        assert "The best is at chance: no proposal learnt anything, so the search has found no best." in text
