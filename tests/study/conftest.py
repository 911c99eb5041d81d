"""A small study, and ways to write and change it."""

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reid_search.study import Study, TrialConfig, load_study
from reid_search.study.question.axes import Axis
from reid_search.study.question.edits import apply_settings
from reid_search.study.question.space import Space

BASE: dict[str, Any] = {
    "data": {"name": "synthetic", "preset": "tiny"},
    "model": {"architecture": "mgn", "backbone": "resnet10_thin", "embedding_dim": 64},
    "training": {"images": 320},
}

STUDY = """\
name: small
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin, embedding_dim: 64}
  training: {images: 320}
axes:
  model.parts: {choice: [[1], [1, 2], [1, 2, 3]]}
  losses.triplet.margin: {uniform: [0.1, 2.0], levels: [0.3, 1.2, soft]}
phases:
  - {kind: search, trials: 4}
  - {kind: ablate, seeds: 2}
"""


@pytest.fixture
def base() -> dict[str, Any]:
    """The base of a small study, to be changed at will."""
    return copy.deepcopy(BASE)


@pytest.fixture
def trial() -> Callable[..., TrialConfig]:
    """Make a trial of the small base with values at dotted paths."""

    def make(changes: Mapping[str, Any] | None = None) -> TrialConfig:
        return TrialConfig.model_validate(apply_settings(BASE, changes or {}))

    return make


@pytest.fixture
def space() -> Callable[..., Space]:
    """Make a space of the small base with axes given as plain data, and values at dotted paths of the base."""

    def make(axes: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> Space:
        return Space(
            apply_settings(BASE, changes or {}), {path: Axis.model_validate(axis) for path, axis in axes.items()}
        )

    return make


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a file into a fresh working folder; the path that comes back is relative to it."""
    monkeypatch.chdir(tmp_path)

    def write_file(text: str, name: str = "study.yaml") -> Path:
        Path(name).write_text(text, encoding="utf-8")
        return Path(name)

    return write_file


@pytest.fixture
def load(write: Callable[..., Path]) -> Callable[..., Study]:
    """Load a study from text, by default the small one, with overrides."""

    def load_text(text: str = STUDY, overrides: Sequence[str] = ()) -> Study:
        return load_study(write(text), overrides)

    return load_text
