"""Ways round a claim's p, each tried on a real log and read off the real report: whatever was claimed counts."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import analysis
from reid_search.cli.store import compare
from reid_search.records import StudyStore, TrialId, read_state
from reid_search.study import TrialConfig
from reid_search.tracking.study_content import study_content as mlflow_content

Content = dict[str, Any]
Answer = Callable[..., pd.DataFrame]

WIDTH, MARGIN = "model.embedding_dim", "losses.triplet.margin"
AXES = {WIDTH: {"choice": {"narrow": 16, "wide": 32}}, MARGIN: {"choice": [0.3, 0.5]}}
WIDER: Content = {"better": {WIDTH: "wide"}, "than": {WIDTH: "narrow"}, "where": {MARGIN: 0.3}}
STRICTER: Content = {"better": {MARGIN: 0.5}, "than": {MARGIN: 0.3}, "where": {WIDTH: "wide"}}
BOTH = {"wider": WIDER, "stricter": STRICTER}


def value(config: TrialConfig) -> float:
    return 0.3 + 0.02 * (config.model.embedding_dim == 32)


def noise(trial: TrialId) -> float:
    return (int(hashlib.sha256(str(trial).encode()).hexdigest()[:6], 16) / 16**6 - 0.5) / 25


def phase(seeds: int = 7, **other: Any) -> list[Content]:
    return [{"kind": "ablate", "name": "decide", "design": "claims", "seeds": seeds, **other}]


@pytest.fixture
def answer(table_driver: Callable[..., Any], tmp_path: Path) -> Answer:
    """Run a study with some claims and return the table of claims of its report, by name."""

    def run(claims: Content, *, die_at: int | None = None, **over: Any) -> pd.DataFrame:
        made = table_driver(value, noise=noise, **{"axes": AXES, "phases": phase(), "claims": claims} | over)
        if die_at is None:
            made.run()
        else:
            with pytest.raises(KeyboardInterrupt):
                made.run(die_at)
        return report(tmp_path, str(over.get("name", "small")))

    return run


def report(tmp_path: Path, name: str = "small") -> pd.DataFrame:
    page = analysis.write_report(tmp_path / "runs" / name)
    table = page.parent / "tables" / "claims.csv"
    return (
        pd.read_csv(table, keep_default_na=False, na_values=[""]).set_index("claim")
        if table.exists()
        else pd.DataFrame()
    )


def told(tmp_path: Path) -> str:
    """Return what `compare` says of a study, after checking that page, MLflow and the end of `run` say it too."""
    store = StudyStore(tmp_path / "runs", "small")
    end, weighs = analysis.conclusion(store.path), analysis.caveats(store.path)
    assert mlflow_content(read_state(store), at_work=False).tags.get("caveats", "") == " ".join(weighs)
    markdown = (store.report / "report.md").read_text().replace("\\", "")
    for line in weighs:
        sentence = line.partition(": ")[2] or line
        assert sentence in " ".join(end)
        assert all(part.strip(". ") in markdown for part in sentence.split(". "))
    return re.sub(r"\(\d{4}-\d\d-\d\d, ", "(DAY, ", " ".join(weighs))


def test_a_claim_that_lost_and_is_dropped_still_counts(answer: Answer, tmp_path: Path) -> None:
    before = answer(BOTH)
    assert list(before["family"]) == [2, 2]
    assert told(tmp_path) == ""
    after = answer({"wider": WIDER})
    assert (after.loc["wider", "family"], after.loc["wider", "p_adjusted"]) == (2, before.loc["wider", "p_adjusted"])
    assert after.loc["wider", "p_adjusted"] == pytest.approx(min(1, 2 * after.loc["wider", "deciding_p"] / 0.95 / 0.9))
    assert "Measured and then withdrawn, so counted in the family: ‘stricter’ (DAY, data.seed 0, 7 seeds)." in told(
        tmp_path
    )
    assert answer({}, phases=phase(design="factorial")).empty
    assert "‘wider’ (DAY, data.seed 0, 7 seeds); ‘stricter’" in told(tmp_path)


def test_a_claim_withdrawn_before_it_is_measured_is_named_and_not_counted(answer: Answer, tmp_path: Path) -> None:
    answer(BOTH, die_at=0)
    answer({"wider": WIDER})
    log = StudyStore(tmp_path / "runs", "small").log.path
    log.write_text(re.sub(r'"time": "\d{4}', '"time": "2020', log.read_text()))  # long before any result
    assert report(tmp_path).loc["wider", "family"] == 1
    assert told(tmp_path) == "Withdrawn before anything of it was measured, so not counted: ‘stricter’."


def test_another_name_for_claim_phase_and_levels_is_no_new_claim(answer: Answer, tmp_path: Path) -> None:
    answer({"wider": WIDER}, phases=phase(6))
    renamed = {"better": {WIDTH: "large"}, "than": {WIDTH: "small"}, "where": {MARGIN: "loose"}}
    axes = {WIDTH: {"choice": {"small": 16, "large": 32}}, MARGIN: {"choice": {"loose": 0.3, "tight": 0.5}}}
    after = answer({"size": renamed}, axes=axes, phases=phase(8, name="again")).loc["size"]
    assert (after["family"], after["looks"]) == (1, 2)
    assert after["level"] == pytest.approx(0.05 * 0.9 * 0.05 / 2), "what is kept for looks that were not planned"
    assert after["p_adjusted"] == pytest.approx(min(1, after["p"] * 0.05 / after["level"]))
    assert "It could have been decided twice, with 6 and 8 seeds. It was called ‘wider’ before." in told(tmp_path)


def test_fewer_seeds_are_a_look_and_said(answer: Answer, tmp_path: Path) -> None:
    answer({"wider": WIDER}, phases=phase(8))
    after = answer({"wider": WIDER}, phases=phase(6)).loc["wider"]
    assert (after["n"], after["looks"], after["family"]) == (6, 2, 1)
    assert "with 8 and 6 seeds. Its number of seeds was lowered once after results had come in." in told(tmp_path)
    assert answer({"wider": WIDER}, phases=phase(8)).loc["wider", "looks"] == 2, "what was seen before is not new"


def test_other_people_are_another_chance_and_count(
    answer: Answer, tmp_path: Path, study_content: Callable[..., Content]
) -> None:
    base = study_content()["base"]
    for seed in (0, 3, 4):
        after = answer({"wider": WIDER}, base={**base, "data": {**base["data"], "seed": seed}}).loc["wider"]
    assert (after["family"], after["looks"]) == (3, 1)
    assert (
        "It was also measured in 2 other ways, counted in the family: data.seed 0, 7 seeds; data.seed 3, 7 seeds."
        in (told(tmp_path))
    )


def test_the_opposite_claim_and_another_smallest_effect_are_the_same_contrast(answer: Answer, tmp_path: Path) -> None:
    before = answer({"wider": WIDER}).loc["wider"]
    answer({"wider": {**WIDER, "smallest_effect": 0.02}})
    flipped = {**WIDER, "better": WIDER["than"], "than": WIDER["better"], "smallest_effect": 0.03}
    after = answer({"narrower": flipped}).loc["narrower"]
    assert (after["family"], after["looks"], after["delta"]) == (1, 1, -before["delta"])
    said = told(tmp_path)
    assert (
        "Its smallest effect of interest was changed twice after results had come in; it was 1.00 and 2.00 points."
        in said
    )
    assert "Its direction was reversed once after results had come in. It was called ‘wider’ before." in said


def test_another_bound_of_the_control_is_said(answer: Answer, tmp_path: Path) -> None:
    """Raising it turns `persists` into `supported`, on the same numbers."""
    controlled = {**WIDER, "vanishes": {MARGIN: 0.5}}
    for other in ({"vanishes_within": 0.005}, {"vanishes_within": 0.02}, {"vanishes_within": 0.005}, {}):
        after = answer({"wider": {**controlled, **other}}).loc["wider"]
    assert after["family"] == 1
    assert told(tmp_path) == (
        "wider: What its effect may be under its control was changed 3 times after results had come in; "
        "it was 0.50 and 2.00 points."
    )
    answer({"wider": {**controlled, "vanishes_within": 0.01}})
    assert "changed 3 times" in told(tmp_path), "as high as the smallest effect was, which it had been until then"


def test_a_bound_that_follows_the_smallest_effect_is_said_with_it(answer: Answer, tmp_path: Path) -> None:
    controlled = {**WIDER, "vanishes": {MARGIN: 0.5}}
    answer({"wider": controlled})
    answer({"wider": {**controlled, "smallest_effect": 0.02}})
    assert told(tmp_path) == (
        "wider: Its smallest effect of interest, and with it what its effect may be under its control, was changed "
        "once after results had come in; it was 1.00 points."
    )


def test_two_claims_beside_each_other_are_no_changes(answer: Answer, tmp_path: Path) -> None:
    flipped = {**WIDER, "better": WIDER["than"], "than": WIDER["better"], "smallest_effect": 0.02}
    for _ in range(2):
        answer({"wider": WIDER, "narrower": flipped})
    assert told(tmp_path) == (
        "wider: ‘narrower’ of this study compares the same. narrower: ‘wider’ of this study compares the same."
    )


def test_a_control_that_is_dropped_or_replaced_is_another_chance(answer: Answer, tmp_path: Path) -> None:
    answer({"wider": {**WIDER, "vanishes": {MARGIN: 0.5}}})
    after = answer({"wider": WIDER}).loc["wider"]
    assert after["family"] == 2
    assert "It was also measured in 1 other way, counted in the family: another control, 7 seeds." in told(tmp_path)


def test_a_fresh_store_stays_linked_to_what_it_set_aside(answer: Answer, tmp_path: Path) -> None:
    before = answer(BOTH)
    store = StudyStore(tmp_path / "runs", "small")
    with store.running():
        aside = store.set_aside()
    assert aside is not None
    after = answer({"wider": WIDER}).loc["wider"]
    assert (after["family"], after["p_adjusted"]) == (2, before.loc["wider", "p_adjusted"])
    day = StudyStore.at(aside).day_set_aside
    said = told(tmp_path)
    assert f"It was measured in a store that was set aside (--fresh) on {day}." in said
    assert f"‘stricter’ (DAY, data.seed 0, 7 seeds, set aside on {day})" in said


def test_another_study_that_asks_the_same_is_named(answer: Answer, tmp_path: Path) -> None:
    answer({"size matters": {**WIDER, "better": WIDER["than"], "than": WIDER["better"]}}, name="other")
    answer({"a": STRICTER}, name="unlike")
    after = answer({"wider": WIDER}).loc["wider"]
    assert after["family"] == 1
    assert told(tmp_path) == "wider: Other studies in this storage ask it too: other."


def test_a_log_of_an_older_version_is_read_and_counted(answer: Answer, tmp_path: Path) -> None:
    answer(BOTH, phases=phase(7))
    log = StudyStore(tmp_path / "runs", "small").log.path
    new = ("contrast", "direction", "data_seeds")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    old = [{name: item for name, item in line.items() if name not in new} for line in lines]
    log.write_text("".join(f"{json.dumps(line)}\n" for line in old))
    assert '"contrast": ' not in log.read_text()
    alone = report(tmp_path)
    assert list(alone["family"]) == [2, 2]
    after = answer({"size": WIDER}, phases=phase(8)).loc["size"]
    assert (after["family"], after["looks"]) == (2, 2)
    said = told(tmp_path)
    assert "It was called ‘wider’ before." in said
    assert "Measured and then withdrawn, so counted in the family: ‘stricter’ (DAY, 7 seeds)." in said


def test_looks_at_an_exploratory_table_are_counted_and_said(answer: Answer, tmp_path: Path) -> None:
    for seeds in (3, 3, 5):
        answer({}, phases=phase(seeds, design="one_factor", name="explore"))
    why = "seeds or arms were changed after results had come in, and no p pays for it"
    assert told(tmp_path) == f"explore: It was looked at twice: {why}."


def test_a_look_before_the_claim_was_made_counts(answer: Answer, tmp_path: Path) -> None:
    answer({}, phases=phase(3, design="factorial"))
    after = answer({"wider": WIDER}, phases=phase(6, design="factorial")).loc["wider"]
    assert (after["looks"], after["family"]) == (2, 1)


def test_compare_ends_with_what_weighs_on_each_study(
    answer: Answer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(BOTH, name="other")
    for seeds in (6, 8):
        answer({"wider": WIDER}, phases=phase(seeds))
    for as_json in (False, True):
        compare(["small", "other"], tmp_path / "runs", "test/mAP", "default", as_json)
        said = capsys.readouterr()
        lines = (said.err if as_json else said.out).splitlines()
        looks, elsewhere = (
            "It could have been decided twice, with 6 and 8 seeds.",
            "Other studies in this storage ask it too",
        )
        assert lines[-2:] == [f"small: wider: {looks} {elsewhere}: other.", f"other: wider: {elsewhere}: small."]


def test_claims_whose_phase_has_not_begun_again_are_not_counted_twice(answer: Answer, tmp_path: Path) -> None:
    def phases(trials: int) -> list[Content]:
        return [{"kind": "search", "trials": trials, "sampler": "random", "pruner": "none"}, *phase()]

    assert list(answer(BOTH, phases=phases(1))["family"]) == [2, 2]
    waiting = answer(BOTH, phases=phases(3), die_at=0)
    assert list(waiting["verdict"]) == ["not yet", "not yet"]
    assert list(waiting["family"]) == [2, 2]
    assert told(tmp_path) == ""
