"""A design that is added from outside is planned, answered and reported; one that nobody knows still opens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import analysis
from analysis.answers.ablations import summarise_ablations
from reid_search.errors import StudyError
from reid_search.records import StudyStore, read_state
from reid_search.study import StudyConfig, load_study
from reid_search.study.question.designs import registry
from reid_search.study.question.designs.arms import arms_of
from reid_search.study.question.designs.design import Asked, Design
from reid_search.study.question.designs.registry import add_design
from reid_search.study.question.space import Settings

A, B = "losses.triplet.margin", "model.pooling"
STUDY = f"""\
name: mgn
base:
  data: {{name: synthetic, preset: tiny}}
  model: {{architecture: mgn, backbone: resnet10_thin}}
axes:
  {A}: {{choice: [1.2, 0.3]}}
  {B}: {{choice: [max, avg]}}
phases:
  - {{kind: ablate, design: ladder, seeds: 6}}
claims: {{avg: {{better: {{{A}: 0.3, {B}: avg}}, than: {{{A}: 0.3}}}}}}
"""


def climb(asked: Asked) -> Iterator[Settings]:
    """Yield the centre, then one more axis at its last level in every step."""
    here = dict(asked.centre)
    yield here
    for path, axis in asked.space.axes.items():
        here = {**here, path: axis.design_levels[-1]}
        yield here


@pytest.fixture
def ladder(monkeypatch: pytest.MonkeyPatch) -> Design:
    monkeypatch.setattr(registry, "_added", {})
    design = Design(
        "ladder",
        "one change on top of another",
        lambda asked: arms_of(asked.space, asked.centre, climb(asked)),
        in_steps=True,
        nothing="around {around} there is nothing to climb",
    )
    add_design(design)
    return design


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ladder.yaml"
    path.write_text(STUDY)
    return path


def test_it_is_planned_and_checked(ladder: Design, file: Path) -> None:
    study = load_study(file)
    phase = study.plan().phases[0]
    assert phase.about == "ladder around base, 6 seeds, each on data of its own, tested on test"
    assert [arm.name for arm in phase.arms] == ["baseline", f"{A}=0.3", f"{A}=0.3, {B}=avg"]
    assert phase.count == 18
    [decided] = study.config.deciding_phases
    contrast = study.contrast("avg", decided, phase.arms)
    assert dict(contrast.effect) == {f"{A}=0.3, {B}=avg": 1.0, f"{A}=0.3": -1.0}
    assert "ladder" in str(StudyConfig.model_json_schema())
    for override, message in (
        ("resolution=4", "only `design: fractional_factorial` has a resolution, not ladder"),
        ("axes=[]", "design: ladder: around base there is nothing to climb"),
        ("design=laddr", "'laddr' is not a choice; did you mean 'ladder'"),
    ):
        with pytest.raises(StudyError, match=message):
            load_study(file, [f"phases.ablate.{override}"])


def _measure(empty, result_of, file: Path) -> None:
    empty.begin()
    arms = load_study(file).plan().phases[0].arms
    for number, arm in enumerate(arms):
        key, settings = f"{number:016x}", {path: level.label for path, level in arm.settings.items()}
        readouts = {"default": "default"}
        empty.ask_arms([arm.name], seeds=3, key=key, settings=settings, by="ladder", readouts=readouts)
        for seed in (1, 2, 3):
            value = 0.5 + 0.1 * number + seed / 1000
            empty.trial(key, seed, readouts={"default": result_of("test", value, 0.7)})


def test_its_arms_are_summarised_and_reported_as_it_says(ladder: Design, file: Path, empty, result_of) -> None:
    _measure(empty, result_of, file)
    folder = empty.path
    arms = analysis.load_arms(folder)
    assert list(arms.drop_duplicates("arm")["axis"]) == ["", A, B], "each step changes the one before"
    [summary] = summarise_ablations(read_state(StudyStore.at(folder)), arms, 0.01)
    assert (summary.design, summary.description, summary.effects) == ("ladder", ladder, None)
    assert summary.compared["delta"].tolist() == pytest.approx([0.1, 0.2])
    page = analysis.write_report(folder)
    assert "One change on top of another" in Path(page).read_text(encoding="utf-8")


def test_records_of_a_design_that_is_not_known_open(ladder: Design, file: Path, empty, result_of, monkeypatch) -> None:
    _measure(empty, result_of, file)
    monkeypatch.setattr(registry, "_added", {})
    folder = empty.path
    arms = analysis.load_arms(folder)
    assert list(arms.drop_duplicates("arm")["axis"]) == ["", A, f"{A} × {B}"], "each arm changes the centre"
    [summary] = summarise_ablations(read_state(StudyStore.at(folder)), arms, 0.01)
    assert (summary.description.name, summary.description.title, summary.is_for_claims) == ("ladder", "ladder", False)
    assert summary.compared["delta"].tolist() == pytest.approx([0.1, 0.2])
