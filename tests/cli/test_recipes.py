"""Studies of published systems: what plan and report say of them, and what is refused before anything trains."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Command = Callable[..., Any]

OVERLAY = """\
  data: {name: synthetic, preset: tiny, image_size: [32, 16]}
  model: {backbone: resnet10_thin, weights: null}
  training:
    images: 48
    report_every: 48
    stages: []
    batch: {ids: 4, per_id: 3, order: identities}
    augment: {pad: 0, crop: null}
    precision: full
"""
COMPARED = (
    """\
name: compared
base:
  recipe: mgn
"""
    + OVERLAY
    + """\
axes:
  system:
    variants:
      MGN: {}
      MGN with two branches: {model: {parts: [1, 2]}}
      strong baseline: {recipe: strong_baseline, losses: {centre: null}}
phases: [{kind: ablate, design: one_factor, seeds: 1}]
keep: none
"""
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "study.yaml"
        path.write_text(text)
        return path

    return written


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if "recipe" in line and not line.startswith(("phase", "What"))]


@pytest.mark.slow  # a study of three arms is run and reported
def test_the_report_says_of_each_arm_what_it_changes_of_its_recipe_in_the_words_of_the_plan(
    command: Command, write: Callable[[str], Path], tmp_path: Path
) -> None:
    study = write(COMPARED)
    planned = _lines(command("plan", study).out)
    assert planned[0].startswith("over every recipe: data.name synthetic, data.image_size [32, 16], model.backbone")
    arms = dict(line.split(": recipe ", 1) for line in planned[1:])
    assert arms["baseline"] == "mgn; nothing else is changed"
    assert arms["system=MGN with two branches"] == "mgn; changes model.parts [1, 2] (published: [1, 2, 3])"
    assert arms["system=strong baseline"] == (
        'strong_baseline; changes losses.centre.on [] (published: ["global@coarse"]), training.batch.order identities '
        "(published: covering), training.augment.pad 0 (published: 10)"
    )
    answer = command("run", study, "--address", "none")
    assert answer.code == 0, answer.err
    report = tmp_path / "runs/compared/report"
    told = [line.removeprefix("- ") for line in _lines(report.joinpath("report.md").read_text().replace("\\", ""))]
    assert told == planned
    page = re.sub("<wbr>", "", report.joinpath("index.html").read_text())
    assert all(line.split(" (")[0] in page for line in planned)
    asked = [json.loads(line) for line in (tmp_path / "runs/compared/asked.jsonl").read_text().splitlines()]
    recipes = {event["arm"]: event["recipe"] for event in asked if event["event"] == "ask"}
    assert recipes == {name: text.split(";")[0] for name, text in arms.items()}


STUDY = """\
name: wrong
base:
{base}
axes: {{training.optimizer.lr: {{choice: [1e-3, 1e-4]}}}}
phases: [{{kind: ablate, seeds: 1}}]
"""
WRONG = {
    "no such recipe": (
        "  recipe: spindle\n",
        "base.recipe: unknown recipe 'spindle'; allowed: ",
    ),
    "more stripes than rows": (
        "  recipe: pcb\n  data: {name: synthetic, image_size: [32, 16]}\n"
        "  model: {backbone: resnet10_thin, weights: null}\n",
        "base.model: parts: 6 stripes do not fit a map of 4×2 (resnet10_thin on images of 32×16); at most 4, or larger "
        "images",
    ),
    "a stage that the architecture lacks": (
        "  recipe: mgn\n  data: {name: synthetic}\n  losses: {triplet: {on: [global@neck]}}\n",
        "base.losses.triplet.on: tap pattern 'global@neck': stage 'neck' is not offered here; allowed: coarse, reduced",
    ),
    "a neck taken away": (
        "  recipe: strong_baseline\n  data: {name: synthetic}\n  model: {neck: none}\n",
        "base.losses.identity.on: tap pattern 'global@neck': stage 'neck' is not offered here; allowed: coarse",
    ),
    "every loss taken away": (
        "  recipe: identification\n  data: {name: synthetic}\n  losses: {identity: null}\n",
        "base.losses.identity: switched off here, and recipe 'identification' trains by identity alone, so nothing",
    ),
    "the head of a scorer taken away": (
        "  recipe: sggnn\n  data: {name: synthetic}\n  losses: {graph: null, identity: {on: [global@coarse]}}\n",
        "base.losses.graph: switched off here, but the scorer of readouts default, base need its head, as in recipe",
    ),
    "a stage that a loss stands on taken away": (
        "  recipe: sggnn\n  data: {name: synthetic}\n  training: {images: 4000, stages: []}\n",
        "base.losses.graph.base_stages: unknown stage 'base'; allowed: main",
    ),
    "less than an image a stage": (
        "  recipe: sggnn\n  data: {name: synthetic}\n  training: {images: 1}\n",
        "base.training: images: 1 is not the sum of the stages' images (2587392); leave it out or make them equal",
    ),
    "pairs taken away": (
        "  recipe: verification\n  data: {name: synthetic}\n  training: {batch: {order: shuffled}}\n",
        "losses.verification.pairs: drawn, but training.batch.order is shuffled; allowed: all, or batches of pairs",
    ),
    "an odd batch of pairs": (
        "  recipe: verification\n  data: {name: synthetic}\n  training: {batch: {ids: 3, per_id: 3}}\n",
        "base.training.batch.order: pairs with 3 × 3 images; allowed: an even number of images",
    ),
    "images smaller than the crop": (
        "  recipe: verification\n  data: {name: synthetic, image_size: [48, 24]}\n",
        "base.training.augment.crop: [224, 224] is larger than the images; allowed: at most [48, 24]",
    ),
    "a crop of an architecture with stripes of fixed size": (
        "  recipe: identification\n  data: {name: synthetic}\n"
        "  model: {pooling: fc, embedding_dim: 64}\n  training: {augment: {crop: [96, 96]}}\n",
        "training.augment.crop: [96, 96], but architecture 'baseline' depends on the size of its images here, which is "
        "[224, 224] in testing; allowed: null",
    ),
    "a rate of no loss": (
        "  recipe: identification\n  data: {name: synthetic}\n"
        "  training: {optimizer: {rates: [[losses.idenity.*, 2.0]]}}\n",
        "base.training.optimizer.rates.0: 'losses.idenity.*': unknown loss 'idenity'; did you mean 'identity'?",
    ),
    "attributes of another data set": (
        "  recipe: attributes\n  data: {name: synthetic}\n  model: {attribute_set: duke}\n",
        "attributes.logits@coarse, whose shape is [46]; expected [56]: 56 logits, one a value of the 27 attributes",
    ),
    "no part maps": (
        "  recipe: spreid\n  data: {name: market1501, root: nowhere}\n",
        "base.data: architecture 'spreid' needs part maps (one PNG, NPZ or NPY file an image), but there are none",
    ),
    "no keypoints": (
        "  recipe: landmarks\n  data: {name: market1501, root: nowhere}\n",
        "base.data: architecture 'landmarks' needs keypoints (one JSON file an image, or one for all), but there are",
    ),
    "no limbs": (
        "  recipe: skeleton\n  data: {name: market1501, root: nowhere}\n",
        "base.data: architecture 'landmarks' needs keypoints (one JSON file an image, or one for all), but there are",
    ),
    "no attributes": (
        "  recipe: attributes\n  data: {name: market1501, root: nowhere}\n",
        "base.losses.attributes: loss 'attributes' needs attributes (one table of identities), but there are none",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_recipe_made_impossible_is_one_message_before_anything_trains(
    command: Command, write: Callable[[str], Path], tmp_path: Path, case: str
) -> None:
    base, said = WRONG[case]
    study = write(STUDY.format(base=base.rstrip("\n")))
    for arguments in (("plan", study), ("run", study, "--address", "none")):
        answer = command(*arguments)
        assert answer.code == 2
        assert said in answer.err
        assert len(answer.err.strip().splitlines()) == 1
        assert not answer.out
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("pcb", "parts: 6 stripes do not fit a map of 4×2 (resnet10_thin on images of 32×16)"),
        ("verification", "training.augment.crop: [224, 224] is larger than the images; allowed: at most [32, 16]"),
        ("pcb_rpp", "parts: 6 stripes do not fit a map of 4×2 (resnet10_thin on images of 32×16)"),
    ],
)
def test_an_overlay_that_one_of_several_recipes_cannot_bear_names_its_level(
    command: Command, write: Callable[[str], Path], recipe: str, said: str
) -> None:
    overlay = OVERLAY.replace("    stages: []\n", "").replace("    augment: {pad: 0, crop: null}\n", "")
    overlay = overlay.replace(", order: identities", "")
    axes = f"axes: {{system: {{variants: {{MGN: {{}}, other: {{recipe: {recipe}}}}}}}}}\n"
    study = write(f"name: wrong\nbase:\n  recipe: mgn\n{overlay}{axes}phases: [{{kind: ablate}}]\n")
    for arguments in (("plan", study), ("run", study, "--address", "none")):
        answer = command(*arguments)
        assert (answer.code, len(answer.err.strip().splitlines())) == (2, 1)
        assert "axes.system.variants.other" in answer.err
        assert said in answer.err


def _last(unit: Path, folder: str) -> Path:
    return sorted((unit / folder).iterdir())[-1]


def _keypoints_of_a_larger_image(unit: Path) -> None:
    content = {"keypoints": [700.0, 50.0, 2.0] + [0.0] * 48, "image_size": [1280, 640]}
    _last(unit, "keypoints").write_text(json.dumps(content))


def _maps_of_a_smaller_image(unit: Path) -> None:
    Image.new("L", (32, 64)).save(_last(unit, "masks"))


def _attributes_of_one_person(unit: Path) -> None:
    lines = (unit / "attributes.csv").read_text().splitlines()
    (unit / "attributes.csv").write_text("\n".join(lines[:2]) + "\n")


PRIVILEGED = (
    "  recipe: {recipe}\n  data: {{name: market1501, root: unit, image_size: [96, 32]}}\n"
    "  model: {{backbone: resnet10_thin, weights: null}}\n"
    "  training: {{images: 48, report_every: 48, batch: {{ids: 4, per_id: 3}}, augment: {{crop: null}}}}\n"
)


@pytest.mark.parametrize(
    ("recipe", "damage", "said"),
    [
        ("spreid", lambda unit: _last(unit, "masks").unlink(), "no such file; expected the part map of"),
        ("spreid", _maps_of_a_smaller_image, "64×32; a part map has one channel of labels"),
        ("landmarks", lambda unit: _last(unit, "keypoints").unlink(), "no such file; expected the keypoints of"),
        ("landmarks", _keypoints_of_a_larger_image, "its keypoints are of an image of 640×1280 pixels"),
        ("attributes", _attributes_of_one_person, "no attributes of identity"),
    ],
)
def test_privileged_inputs_that_are_missing_or_of_another_size_are_refused_by_name_before_anything_trains(
    command: Command,
    write: Callable[[str], Path],
    unit: Path,
    tmp_path: Path,
    recipe: str,
    damage: Callable[[Path], None],
    said: str,
) -> None:
    study = write(STUDY.format(base=PRIVILEGED.format(recipe=recipe).rstrip("\n")))
    assert command("plan", study).code == 0
    damage(unit)
    for arguments in (("plan", study), ("run", study, "--address", "none"), ("data", "check", "unit")):
        answer = command(*arguments)
        assert answer.code == 2, answer.err
        assert said in answer.err
        assert "Traceback" not in answer.err
        if arguments[0] != "data" and recipe != "attributes":
            assert "; 1 of 162 images lack" in answer.err
    assert not (tmp_path / "runs").exists()
