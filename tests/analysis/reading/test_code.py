"""Arms that were measured under other code are set apart by name, in the report and wherever arms are compared."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import analysis
from analysis.answers.claim_answer import REFUSED
from analysis.answers.claims import answer_claims
from analysis.reporting.protocol import protocol_facts
from reid_search.errors import RequestError
from reid_search.records import CodeVersion, StudyStore, read_state

CENTRE, PARTS, MARGIN = "baseline", "model.parts=[1]", "losses.triplet.margin=0.3"
MGN = {"models.mgn": "aaaaaaaa", "losses.triplet": "bbbbbbbb"}
NOW = CodeVersion(numerics=1, torch="2.15.0", libraries={"numpy": "2.4"}, source="0123abcd", components=MGN)


def changed(**over: object) -> CodeVersion:
    return CodeVersion.model_validate(NOW.model_dump() | over)


@pytest.fixture
def measured(empty: object) -> Callable[..., Path]:
    """Write an ablation of which each arm and seed was measured under the code that is given for it, or for the arm."""

    def write(**code: CodeVersion | None) -> Path:
        names = {"centre": CENTRE, "parts": PARTS, "margin": MARGIN}
        empty.begin()
        empty.log("claim", claim="fewer parts", content={
            "better": {"x": "1"}, "metric": "mAP", "readout": "default", "smallest_effect": 0.01
        })  # fmt: skip
        weights = {PARTS: 1.0, CENTRE: -1.0}
        empty.log("contrast", claim="fewer parts", phase="ablate", effect=weights, control={}, missing=[])
        for name, arm in names.items():
            key = empty.real_key(arm)
            empty.ask_arms([arm], seeds=3, key=key)
            for seed in (1, 2, 3):
                empty.arm_trial(arm, seed, key, code=code.get(f"{name}_{seed}", code.get(name, NOW)))
        return empty.path

    return write


def page_of(study: Path) -> str:
    return re.sub(r"\s+", " ", analysis.write_report(study).with_name("report.md").read_text().replace("\\", ""))


def test_like_code_is_compared_and_its_versions_are_told(measured: Callable[..., Path]) -> None:
    study = measured()
    page = page_of(study)
    assert "numerics version 1, torch 2.15.0, numpy 2.4, source 0123abcd" in page
    assert "under another protocol" not in page
    assert analysis.load_arms(study)["protocol"].nunique() == 1
    assert (analysis.load_arms(study)["components"].dropna() == "").all()


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (changed(torch="2.14.0"), "torch 2.14.0 instead of 2.15.0"),
        (changed(numerics=2), "numerics 2 instead of 1"),
        (changed(libraries={"numpy": "2.3"}), "libraries numpy 2.3 instead of numpy 2.4"),
        (changed(source="4567abcd"), "code 4567abcd instead of 0123abcd"),
        (
            changed(components=MGN | {"models.mgn": "cccccccc"}),
            "components models.mgn cccccccc instead of models.mgn aaaaaaaa",
        ),
        (None, "code unknown instead of 0123abcd"),
    ],
)
def test_an_arm_of_other_code_is_refused_by_name(
    other: CodeVersion | None, told: str, measured: Callable[..., Path]
) -> None:
    study = measured(parts=other)
    field, _, values = told.partition(" ")
    found, _, expected = values.partition(" instead of ")
    arms = analysis.load_arms(study)
    named = f"{field}: arm '{PARTS}' has '{found}' and '{CENTRE}' has '{expected}'"
    (answer,) = answer_claims(read_state(StudyStore.at(study)), arms)
    assert answer.verdict == REFUSED
    assert field in answer.because
    with pytest.raises(RequestError, match=re.escape(named)):
        analysis.contrasts(arms)
    assert list(analysis.contrasts(arms[arms["arm"] != PARTS])["arm"]) == [MARGIN]


def test_the_report_sets_arms_of_other_code_apart(measured: Callable[..., Path]) -> None:
    page = page_of(measured(parts=changed(torch="2.14.0")))
    assert "measured under another protocol (torch 2.14.0 instead of 2.15.0)" in page
    assert "it compares numbers under different protocols: torch: arm " in page
    assert "3 trainings: numerics version 1, torch 2.14.0, " in page


def test_seeds_of_one_arm_under_two_versions_are_refused_by_name(measured: Callable[..., Path]) -> None:
    arms = analysis.load_arms(measured(centre_3=changed(torch="2.16.0")))
    named = f"torch: arm '{CENTRE}' has '2.15.0' and, in other seeds, '2.16.0'"
    with pytest.raises(RequestError, match=re.escape(named)):
        analysis.contrasts(arms)


def test_a_component_that_an_arm_does_not_use_does_not_set_it_apart(measured: Callable[..., Path]) -> None:
    pcb = changed(components={"models.pcb": "dddddddd", "losses.triplet": "bbbbbbbb"})
    study = measured(parts=pcb)
    assert list(analysis.contrasts(analysis.load_arms(study))["arm"]) == [PARTS, MARGIN]
    study = measured(parts=pcb, margin=changed(components=MGN | {"models.mgn": "cccccccc"}))
    arms = analysis.load_arms(study)
    assert list(analysis.contrasts(arms[arms["arm"] != MARGIN])["arm"]) == [PARTS]
    with pytest.raises(RequestError, match=f"components: arm '{re.escape(MARGIN)}' has 'models.mgn cccccccc'"):
        analysis.contrasts(arms)


def test_what_was_trained_and_tested_under_two_versions_is_like_neither(measured: Callable[..., Path]) -> None:
    study = measured()
    store = StudyStore.at(study)
    for folder in store.trials():
        record = folder.record()
        assert record is not None
        if folder.id.seed == 1 and record.config["model"]["parts"] == [1]:
            folder.write_record(record.model_copy(update={"tested_by": changed(torch="2.16.0")}))
    with pytest.raises(RequestError, match=r"torch: arm .* has '2.15.0→2.16.0'"):
        analysis.contrasts(analysis.load_arms(study))


def test_code_that_nobody_noted_changes_no_protocol(measured: Callable[..., Path], study: object) -> None:
    before = analysis.load_arms(study.path)
    unknown = analysis.load_arms(measured(centre=None, parts=None, margin=None))
    assert set(unknown["protocol"].dropna()) == set(before["protocol"].dropna())
    assert len(analysis.contrasts(unknown)) == 2
    assert not [text for name, text in protocol_facts(read_state(study.store)) if name == "Code"]


def test_two_studies_with_another_version_of_a_component_are_not_compared(
    measured: Callable[..., Path], tmp_path: Path
) -> None:
    first = measured()
    second = first.with_name("second")
    first.rename(second)
    other = changed(components=MGN | {"models.mgn": "cccccccc"})
    first = measured(centre=other, parts=other, margin=other)
    assert len(analysis.contrasts(analysis.load_arms(first))) == 2
    with pytest.raises(RequestError, match=r"components: arm 'second' has 'models.mgn aaaaaaaa'"):
        analysis.compare_studies([first, second])
