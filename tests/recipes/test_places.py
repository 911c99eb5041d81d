"""A message about a value that a recipe sets names the recipe and its line, and no innocent line of the study."""

from collections.abc import Callable
from pathlib import Path

import pytest

import reid_search.recipes
from reid_search.errors import StudyError
from reid_search.study import load_study, load_trial_file

RECIPES = Path(reid_search.recipes.__file__).parent


def line_of(recipe: str, text: str) -> int:
    """Return the line of a recipe's file that holds a text."""
    lines = (RECIPES / f"{recipe}.yaml").read_text().splitlines()
    (found,) = (number for number, line in enumerate(lines, start=1) if text in line)
    return found


STUDY = """\
name: wrong
base:
  data: {{name: synthetic, preset: tiny, image_size: [{size}]}}
  recipe: {recipe}
  model: {{backbone: resnet10_thin, weights: null{model}}}
  training:
    images: 4800
    augment: {{flip: 0.5{augment}}}
axes:
  system: {{variants: {{own: {{}}, other: {other}}}}}
phases: [{{kind: ablate}}]
"""


@pytest.fixture
def message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)

    def refused(**over: str) -> str:
        filled = {"size": "96, 32", "model": "", "augment": "", "other": "{model: {last_stride: 1}}"} | over
        Path("study.yaml").write_text(STUDY.format(**filled))
        with pytest.raises(StudyError) as error:
            load_study(Path("study.yaml"))
        return str(error.value)

    return refused


CROP = "base.training.augment.crop: [224, 224] is larger than the images; allowed: at most [96, 32]"
STRIPES = "parts: 6 stripes do not fit a map of 4×2"


def test_an_entry_of_the_recipe_is_named_with_its_line(message: Callable[..., str]) -> None:
    line = line_of("verification", "crop:")
    assert message(recipe="verification") == f"study.yaml:4 (recipe verification, line {line}): {CROP}"


def test_an_entry_of_the_recipe_that_the_rule_names_is_found_too(message: Callable[..., str]) -> None:
    line = line_of("pcb", "  parts: 6")
    said = message(recipe="pcb", size="32, 16")
    assert said.startswith(f"study.yaml:4 (recipe pcb, line {line}): base.model: {STRIPES}")


def test_an_entry_that_the_study_writes_over_the_recipe_is_the_study_s(message: Callable[..., str]) -> None:
    assert message(recipe="verification", augment=", crop: [224, 224]") == f"study.yaml:8: {CROP}"
    assert message(recipe="pcb", size="32, 16", model=", parts: 6").startswith(f"study.yaml:5: base.model: {STRIPES}")


def test_a_level_that_takes_a_recipe_names_its_line(message: Callable[..., str]) -> None:
    said = message(recipe="identification", other="{recipe: verification}")
    place = f"recipe verification, line {line_of('verification', 'crop:')}"
    assert said == f"study.yaml:10 ({place}): axes.system.variants.other.{CROP.removeprefix('base.')}"


def test_a_trial_s_own_file_names_the_line_too(tmp_path: Path) -> None:
    file = tmp_path / "trial.yaml"
    file.write_text("recipe: verification\ndata: {name: synthetic, image_size: [96, 32]}\nmodel: {weights: null}\n")
    with pytest.raises(StudyError) as error:
        load_trial_file(file)
    line = line_of("verification", "crop:")
    assert str(error.value) == f"{file}:1 (recipe verification, line {line}): {CROP.removeprefix('base.')}"
