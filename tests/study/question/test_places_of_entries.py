"""What is wrong with a trial is told at the line that gives it: in a variant, an arm, a phase, the base, a recipe."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import reid_search.recipes
from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.write import write_dataset
from reid_search.errors import StudyError
from reid_search.study import Study, load_study

Load = Callable[..., Study]
PEOPLE, IMAGES = PRESETS["unit"].train_identities, PRESETS["unit"].train_images

STUDY = """\
name: large
base:
  recipe: pcb
  data: {name: market1501, root: ROOT, image_size: [96, 32]}
  model: {backbone: resnet10_thin, weights: null}
  training:
    images: 48
    batch: {ids: 4, per_id: 3}
    augment: {crop: null}
axes:
  training.optimizer.lr: {choice: [1e-3, 1e-4]}
  training.batch.ids: {choice: [4, 5]}
  batches:
    variants:
      usual: {}
      other:
        training: {batch: {per_id: 4}}
phases:
  - kind: ablate
    seeds: 1
    set:
      training.report_every: 48
"""
FOUR, FIVE = "batch: {ids: 4", "training.batch.ids: {choice: [4, 5]}"
CASES = {
    "the base's batch of any order": (
        STUDY.replace(FOUR, "batch: {ids: 1000").replace(f"  {FIVE}\n", ""),
        ":8: base.training.batch: in arm 'baseline' of ablate: 3,000 images in a batch, and the training set has "
        f"{IMAGES}",
    ),
    "the base's people": (
        STUDY.replace(FOUR, "batch: {order: identities, ids: 13").replace(f"  {FIVE}\n", ""),
        f":8: base.training.batch.ids: in arm 'baseline' of ablate: 13: the training set has {PEOPLE} identities",
    ),
    "an axis": (
        STUDY.replace(FOUR, "batch: {order: identities, ids: 4").replace("[4, 5]", "[4, 13]"),
        ":12: axes.training.batch.ids: level '13' makes no valid trial in arm 'training.batch.ids=13' of ablate: "
        "training.batch.ids: 13: the training set has",
    ),
    "a variant": (
        STUDY.replace("{batch: {per_id: 4}}", "{batch: {order: identities, ids: 13}}").replace(f"  {FIVE}\n", ""),
        ":16: axes.batches.variants.other.training.batch.ids: in arm 'batches=other' of ablate: 13: the training set",
    ),
    "a phase": (
        STUDY.replace("training.report_every: 48", "training.batch.ids: 25").replace(f"  {FIVE}\n", ""),
        ":21: phases.0 (ablate).set.training.batch.ids: in arm 'baseline' of ablate: 75 images in a batch, and the "
        f"training set has {IMAGES}",
    ),
    "a search": (
        STUDY.replace(FOUR, "batch: {ids: 1000")
        .replace(f"  {FIVE}\n", "")
        .replace("kind: ablate\n    seeds: 1", "kind: search\n    trials: 2"),
        ":8: base.training.batch: 3,000 images in a batch, and the training set has",
    ),
}


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "unit"
    write_dataset(SyntheticConfig(name="synthetic", preset="unit"), root)
    return root


@pytest.mark.parametrize("case", CASES)
def test_a_batch_that_a_folder_cannot_fill_is_refused_where_it_is_written(load: Load, unit: Path, case: str) -> None:
    text, said = CASES[case]
    study = load(text.replace("ROOT", str(unit)))
    with pytest.raises(StudyError) as error:
        study.plan()
    assert str(error.value).startswith(f"study.yaml{said}")
    load(STUDY.replace("ROOT", str(unit))).plan()


@pytest.mark.parametrize("case", ["the base's batch of any order", "the base's people"])
def test_a_batch_that_drawn_people_cannot_fill_is_refused_before_any_is_drawn(load: Load, case: str) -> None:
    text, said = CASES[case]
    with pytest.raises(StudyError) as error:
        load(text.replace("name: market1501, root: ROOT", "name: synthetic, preset: unit"))
    assert str(error.value).startswith(f"study.yaml{said}")


LAYERS = """\
name: layers
base:
  recipe: identification
  data: {name: synthetic, preset: tiny, image_size: [96, 32]}
  model: {backbone: resnet10_thin, weights: null}
  training:
    images: 48
    report_every: 48
    batch: {ids: 4, per_id: 4}
    augment: {crop: null, AUGMENT}
axes:
  training.lr_multiplier: {choice: [1.0, 2.0]}
  system:
    variants:
      own: {}
      PCB:
        VARIANT
        data: {seed: 1}
  size:
    variants:
      large: {}
      small:
        data: {SMALL}
arms:
  odd:
    ARM
phases:
  - kind: ablate
    seeds: 1
    set:
      training.report_every: 48
      SET
"""
FILLED = {
    "AUGMENT": "auto: 0",
    "VARIANT": "recipe: pcb",
    "SMALL": "image_size: [64, 32]",
    "ARM": "recipe: pcb",
    "SET": "data.seed: 0",
}
PCB = "axes.system.variants.PCB"
MISTAKES = {
    "the recipe of a variant": ({"VARIANT": "recipe: PCB"}, f":17: {PCB}.recipe: unknown recipe 'PCB'; did you mean"),
    "a list as the recipe of a variant": ({"VARIANT": "recipe: [pcb]"}, f":17: {PCB}.recipe: ['pcb']: expected the"),
    "a map as the recipe of a variant": (
        {"VARIANT": "recipe: {a: b}"},
        f":17: {PCB}.recipe: {{'a': 'b'}}: expected the",
    ),
    "no recipe of a variant": ({"VARIANT": "recipe: null"}, f":17: {PCB}.recipe: null is no recipe, and without one a"),
    "a key of a variant": ({"VARIANT": "recipe: pcb\n        model:\n          partz: 3"}, f":19: {PCB}.model.partz: "),
    "a part of a variant": ({"VARIANT": "modle: {parts: 3}"}, f":17: {PCB}.modle: unknown key; did you mean 'model'?"),
    "a value of a variant": (
        {"VARIANT": "recipe: pcb\n        model:\n          parts: 5"},
        f":19: {PCB}.model.parts: 5",
    ),
    "a key that a variant lacks": (
        {"VARIANT": "losses: {more: {on: []}}"},
        f":17: {PCB}.losses.more.kind: this key is",
    ),
    "a null of a variant": ({"VARIANT": "training: null"}, f":17: {PCB}.training: null should be a map"),
    "an item of a list of a variant": (
        {"VARIANT": "readouts: {a: {taps: [b]}}"},
        f":17: {PCB}.readouts.a.taps: tap pattern 'b': stage 'b' is not offered here",
    ),
    "what a variant has from its recipe": (
        {"VARIANT": "recipe: verification\n        training:\n          augment: {crop: [224, 224]}"},
        f":19: {PCB}.training.augment.crop: [224, 224] is larger than the images",
    ),
    "what the base has, under a variant": (
        {"VARIANT": "recipe: spreid", "AUGMENT": "auto: 1"},
        f":16: {PCB}: makes no valid trial: training.augment.auto at study.yaml:10: AutoAugment moves pixels",
    ),
    "two variants together": (
        {"SMALL": "image_size: [32, 16]", "ARM": "system: own"},
        f":17 (recipe pcb, line LINE): {PCB}.model: with size=small: parts: 6 stripes do not fit a map of 4×2",
    ),
    "two variants of an arm": (
        {"SMALL": "image_size: [32, 16]", "ARM": "system: PCB\n    size: small"},
        f":17 (recipe pcb, line LINE): {PCB}.model: in arm 'odd': parts: 6 stripes do not fit a map of 4×2",
    ),
    "the recipe of an arm": ({"ARM": "recipe: pcp"}, ":26: arms.odd.recipe: unknown recipe 'pcp'; did you mean 'pcb'?"),
    "no recipe of an arm": ({"ARM": "recipe: null"}, ":26: arms.odd.recipe: null is no recipe; leave the entry out"),
    "the recipe of an arm over the base": (
        {"ARM": "recipe: spreid", "AUGMENT": "auto: 1"},
        ":26: arms.odd.recipe: makes no valid trial: training.augment.auto at study.yaml:10: AutoAugment moves",
    ),
    "a level of an arm": (
        {"ARM": "training.lr_multiplier: 3"},
        ":26: arms.odd.training.lr_multiplier: 3 is not a level",
    ),
    "a key that a phase sets": (
        {"SET": "training.batch.idz: 3"},
        ":32: phases.0 (ablate).set.training.batch.idz: unknown",
    ),
    "a key of a map that a phase sets": (
        {"SET": "training.batch: {ids: 4,\n        per_idz: 4}"},
        ":33: phases.0 (ablate).set.training.batch.per_idz: unknown key; did you mean 'per_id'?",
    ),
    "a value that a phase sets": (
        {"SET": "model.neck: bneck"},
        ":32: phases.0 (ablate).set.model.neck: 'bneck' is not",
    ),
    "an architecture that a phase sets": (
        {"SET": "model.architecture: pcb"},
        ":32: phases.0 (ablate).set.model.architecture: 'pcb' in place of 'baseline', which recipe 'identification'",
    ),
    "what the base has, under a phase": (
        {"SET": "data.image_size: [16, 8]", "AUGMENT": "pad: 8"},
        ":30: phases.0 (ablate).set: makes no valid trial: training.augment.pad at study.yaml:10: 8: images of 16×8",
    ),
}


def _layers(over: Mapping[str, str]) -> str:
    text = LAYERS
    for name, value in {**FILLED, **over}.items():
        text = text.replace(name, value)
    return text.replace("        {}\n        data", "        data")


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_the_line_and_the_path_of_its_entry(load: Load, case: str) -> None:
    over, said = MISTAKES[case]
    recipe = Path(reid_search.recipes.__file__).with_name("pcb.yaml").read_text().splitlines()
    line = next(number for number, text in enumerate(recipe, start=1) if text.startswith("  parts: 6"))
    with pytest.raises(StudyError) as error:
        load(_layers(over))
    assert str(error.value).startswith(f"study.yaml{said.replace('LINE', str(line))}")
    assert "\n" not in str(error.value)


def test_without_a_mistake_there_is_none(load: Load) -> None:
    load(_layers({}))


def test_a_file_that_is_extended_is_named_where_the_line_is_its(write: Callable[..., Path]) -> None:
    low = _layers({"VARIANT": "recipe: pcbx"})
    write(low, "low.yaml")
    cases = {
        "extends: low.yaml\n": f"low.yaml:17: {PCB}.recipe: unknown recipe 'pcbx'",
        "extends: low.yaml\naxes: {system: {variants: {PCB: {recipe: pcb,\n model: {partz: 3}}}}}\n": (
            f"study.yaml:3: {PCB}.model.partz: unknown key"
        ),
        "extends: low.yaml\nname: up\narms:\n  odd:\n    recipe: 7\n": "study.yaml:5: arms.odd.recipe: 7: expected the",
        "extends: low.yaml\nbase:\n  recipe: null\n": "study.yaml:3: base.recipe: null is no recipe, and without one",
        "extends: low.yaml\nbase:\n  losses: {identity: null}\n": "study.yaml:3: base.losses.identity: switched off",
    }
    for text, said in cases.items():
        with pytest.raises(StudyError) as error:
            load_study(write(text))
        assert str(error.value).startswith(said)


def test_an_override_that_deletes_the_recipe_is_told_as_a_null(load: Load) -> None:
    with pytest.raises(StudyError, match=r"^--set base.recipe=null: base\.recipe: null is no recipe, and without one"):
        load(_layers({}), ["recipe=null"])
    load(_layers({"VARIANT": "{}", "ARM": "{}"}), ["recipe=null", "model.architecture=baseline"])


def test_a_claim_whose_arm_is_no_trial_is_told_with_its_level(load: Load) -> None:
    text = _layers({"SMALL": "image_size: [32, 16]", "ARM": "system: own"})
    text = text.replace("    seeds: 1\n", "    seeds: 6\n    axes: [system]\n")
    text += "claims: {it: {better: {system: PCB}, where: {size: small}}}\n"
    with pytest.raises(StudyError, match=rf": {PCB}\.model: in an arm of claims\.it: parts: 6 stripes do not fit"):
        load(text)
