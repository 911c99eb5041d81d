"""What a study is called and what its axes are called changes nothing else."""

from pathlib import Path

from reid_search.study import Study, load_study

STUDY = """\
name: small
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin, embedding_dim: 64}
axes:
  model.parts: {choice: [[1], [1, 2]]}
  losses.triplet.margin: {uniform: [0.1, 2.0], levels: [0.3, 1.2]}
phases: [{kind: ablate, seeds: 2}]
"""
SHOWN = """\
title: How many branches?
question: Is a second branch worth having?
labels:
  model.parts: {title: branches, levels: {"[1]": one, "[1, 2]": two}}
  losses.triplet.margin: {title: margin, levels: {0.3: usual}}
"""


def _study(folder: Path, text: str) -> Study:
    path = folder / "study.yaml"
    path.write_text(text)
    return load_study(path)


def test_labels_leave_the_names_of_arms_and_the_keys_of_trials_alone(tmp_path: Path) -> None:
    plain, shown = (_study(tmp_path, text).plan() for text in (STUDY, STUDY + SHOWN))
    assert plain.trials
    assert [(one.arm.name, one.key, one.seed) for one in plain.trials] == [
        (one.arm.name, one.key, one.seed) for one in shown.trials
    ]


def test_a_study_without_them_is_written_as_before(tmp_path: Path) -> None:
    plain, shown = (_study(tmp_path, text).config.model_dump(mode="json") for text in (STUDY, STUDY + SHOWN))
    assert set(shown) - set(plain) == {"title", "question", "labels"}
    assert shown["labels"]["losses.triplet.margin"] == {"title": "margin", "levels": {"0.3": "usual"}}


def test_a_title_may_be_given_alone_and_levels_by_value(tmp_path: Path) -> None:
    config = _study(tmp_path, STUDY + "labels: {losses.triplet.margin: {levels: {1.2: the paper's}}}\n").config
    assert config.labels["losses.triplet.margin"].levels == {"1.2": "the paper's"}
    assert config.labels["losses.triplet.margin"].title is None
