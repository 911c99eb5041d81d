"""Several data sets: people and cameras never collide, each test stays by itself, and settings make sense."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError

from reid_search.data import Samples, load_dataset, open_trial_data
from reid_search.data.several.config import SeveralConfig
from reid_search.data.several.joining import JoinedSamples, joined_tables
from reid_search.errors import DataError, StudyError
from reid_search.study import DATASETS, Fingerprints, TrialConfig, load_study, trial_key

from .conftest import write_image

UNIT = {"name": "synthetic", "preset": "unit"}
OTHER = {**UNIT, "seed": 7}


def _several(**content: Any) -> SeveralConfig:
    config = DATASETS.validate(content)
    assert isinstance(config, SeveralConfig)
    return config


def _trial(data: dict[str, Any]) -> TrialConfig:
    model = {"architecture": "baseline", "backbone": "resnet10_thin"}
    training = {"images": 8, "batch": {"ids": 2, "per_id": 2}}
    return TrialConfig.model_validate({"data": data, "model": model, "training": training})


def _manifest(root: Path, parts: str, cameras: bool = True, seed: int = 0) -> Path:
    """Write a manifest of four people with these parts, by their first letters."""
    lines = ["path,identity,split" + ",camera" * cameras]
    for identity in "abcd":
        for number, part in enumerate(("train", "query", "gallery")):
            if part[0] in parts:
                for camera in (1, 2):
                    name = f"{identity}{number}{camera}.jpg"
                    write_image(root / name, seed + number * 1000 + camera * 200 + ord(identity))
                    person = f"{'trained' if part == 'train' else 'tested'} {identity}"
                    lines.append(f"{name},{person},{part}" + f",{camera}" * cameras)
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


def test_people_and_cameras_of_different_sets_never_share_a_number() -> None:
    generator = np.random.default_rng(0)
    tables = [
        pd.DataFrame({"identity": generator.integers(1, 9, 20), "camera": generator.integers(0, 4, 20), "only": number})
        for number in range(3)
    ]
    tables[1] = tables[1].drop(columns="only")
    joined = joined_tables(tables)
    assert list(joined) == ["identity", "camera"]
    assert list(joined.index) == list(range(60))
    whose = np.repeat(range(3), 20)
    for column in joined:
        old = [(number, value) for number, table in enumerate(tables) for value in table[column]]
        pairs = set(zip(old, joined[column], strict=True))
        assert len(pairs) == len(set(old)) == joined[column].nunique()
    np.testing.assert_array_equal(joined["identity"][whose == 0], tables[0]["identity"])


def test_joined_images_are_those_of_one_long_array() -> None:
    generator = np.random.default_rng(1)
    parts = tuple(
        Samples(
            generator.integers(0, 255, (count, 4, 2, 3), dtype=np.uint8),
            keypoints=generator.random((count, 17, 3), dtype=np.float32),
        )
        for count in (5, 1, 4)
    )
    rows = generator.integers(0, 10, 30)
    found = JoinedSamples(parts).at(rows)
    np.testing.assert_array_equal(found.pixels, np.concatenate([part.pixels for part in parts])[rows])
    assert found.maps is None
    assert found.keypoints is not None
    np.testing.assert_array_equal(
        found.keypoints, np.concatenate([part.keypoints for part in parts if part.keypoints is not None])[rows]
    )


def test_training_joins_all_people_and_every_test_is_that_of_its_set_alone(cache: Path) -> None:
    third = {**UNIT, "seed": 9}
    data = {"train": [UNIT, OTHER], "test": {"b": OTHER, "c": third}, "holdout": 0.5}
    several = open_trial_data(_trial(data), 1, cache)
    alone = {name: open_trial_data(_trial({**config, "holdout": 0.5}), 1, cache) for name, config in
             (("a", UNIT), ("b", OTHER), ("c", third))}  # fmt: skip
    assert several.class_count == alone["a"].class_count + alone["b"].class_count
    own = several.stages[0].images
    assert len(own) == len(alone["a"].stages[0].images) + len(alone["b"].stages[0].images)
    everywhere = np.concatenate([item.stages[0].images.at(np.arange(len(item.stages[0].images))).pixels for item in
                                 (alone["a"], alone["b"])])  # fmt: skip
    np.testing.assert_array_equal(own.at(np.arange(len(own))).pixels, everywhere)
    assert list(several.sets) == ["test", "test/b", "test/c", "val"]
    assert several.sets["test"] is not several.sets["test/c"]
    assert several.fingerprints["test"] == alone["b"].fingerprint
    for split, name in (("test", "b"), ("test/b", "b"), ("test/c", "c")):
        for part in ("query", "gallery"):
            pd.testing.assert_frame_equal(
                getattr(several.sets[split], part).table, getattr(alone[name].sets["test"], part).table
            )
    held_out = several.sets["val"].gallery
    queries = several.sets["val"].query
    assert set(held_out.identities).isdisjoint(own.identities)
    assert set(queries.identities) == set(held_out.identities)
    of_image = dict(zip(held_out.table["path"], held_out.identities, strict=True))
    assert [of_image[path] for path in queries.table["path"]] == list(queries.identities)
    assert len(held_out) == sum(len(alone[name].sets["val"].gallery) for name in "ab")
    assert len(queries) == sum(len(alone[name].sets["val"].query) for name in "ab")


def test_a_trial_and_its_plan_name_the_same_data_where_a_stage_has_its_own(cache: Path) -> None:
    stages = [
        {"name": "parser", "images": 8, "losses": ["parsing"], "data": {**UNIT, "seed": 9}},
        {"name": "all", "images": 8},
    ]
    config = TrialConfig.model_validate(
        {
            "data": {"train": [UNIT, OTHER], "test": {"unit": UNIT}},
            "model": {"architecture": "spreid", "backbone": "resnet10_thin", "maps": "learnt"},
            "losses": {"parsing": {"kind": "parsing", "on": ["map@coarse"]}},
            "training": {"batch": {"ids": 2, "per_id": 2}, "stages": stages},
        }
    )
    assert open_trial_data(config, 1, cache).fingerprint == Fingerprints().of_trial(config)


def _with_stage(data: dict[str, Any], stage: dict[str, Any]) -> TrialConfig:
    stages = [{"name": "parser", "images": 8, "losses": ["parsing"], "data": stage}, {"name": "all", "images": 8}]
    content = {
        "data": {**data, "holdout": 0.0},
        "model": {"architecture": "spreid", "backbone": "resnet10_thin", "maps": "learnt"},
        "losses": {"parsing": {"kind": "parsing", "on": ["map@coarse"]}},
        "training": {"batch": {"ids": 2, "per_id": 2}, "stages": stages},
    }
    return TrialConfig.model_validate(content)


def _mask(root: Path) -> None:
    (root / "masks").mkdir()
    for image in root.glob("*.jpg"):
        Image.new("L", Image.open(image).size).save(root / f"masks/{image.stem}.png")


def test_data_of_a_stage_hold_no_image_and_no_person_that_is_tested(tmp_path: Path) -> None:
    main, other, tested = (
        _manifest(tmp_path / name, "tqg", seed=seed)
        for seed, name in ((0, "main"), (9000, "other"), (18_000, "tested"))
    )
    for root in (main, other, tested):
        _mask(root)
    data = {"name": "manifest", "root": str(main)}
    apart = {**data, "root": str(tested)}
    on_other = _with_stage(data, {"root": str(other)})
    on_tested = _with_stage({"train": data, "test": {"far": apart}}, {"name": "manifest", "root": str(tested)})
    for config in (on_other, on_tested):
        Fingerprints().check(config)

    shutil.copy(main / "a11.jpg", other / "b01.jpg")
    said = (
        rf"{other}/b01\.jpg is trained on as an image of manifest \(in other\), and it is tested on as {main}/a11\.jpg"
    )
    with pytest.raises(DataError, match=said):
        Fingerprints().check(on_other)

    manifest = tested / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("trained a", "tested a"))
    with pytest.raises(DataError, match=r"1 identity is both in training and in test \(tested a\)"):
        Fingerprints().check(on_tested)

    shutil.copy(main / "a11.jpg", main / "a01.jpg")  # which is said of a data set that is trained on and tested
    Fingerprints().check(_with_stage(data, {"keypoint_confidence": 0.5}))


def test_data_of_a_stage_hold_nobody_who_is_held_out_for_validation(tmp_path: Path) -> None:
    main = _manifest(tmp_path / "main", "tqg")
    _mask(main)
    data = {"name": "manifest", "root": str(main)}

    def trial(held: float, **stage: Any) -> TrialConfig:
        config = _with_stage(data, {"root": str(main), **stage})
        return config.model_copy(update={"data": config.data.model_copy(update={"holdout": held})})

    Fingerprints().check(trial(0.5))
    Fingerprints().check(trial(0.0, holdout=0.0))  # an answer holds nobody out
    with pytest.raises(DataError, match=r"is trained on as an image .* and it is held out for validation as"):
        Fingerprints().check(trial(0.5, holdout=0.0))

    copied = shutil.copytree(main, tmp_path / "copied")
    with pytest.raises(DataError, match=r"held out for validation as .*; give both the same holdout and split_seed"):
        Fingerprints().check(trial(0.5, root=str(copied), holdout=0.0))
    Fingerprints().check(trial(0.5, root=str(copied)))


def test_the_tables_of_all_can_be_loaded_as_one(cache: Path) -> None:
    dataset = load_dataset(_several(train=[UNIT, OTHER], test={"b": OTHER}), cache)
    first, second = (load_dataset(DATASETS.validate(config), cache) for config in (UNIT, OTHER))  # type: ignore[arg-type]
    assert dataset.train["identity"].nunique() == first.train["identity"].nunique() + second.train["identity"].nunique()
    pd.testing.assert_frame_equal(dataset.gallery, second.gallery)


def test_a_set_needs_only_the_parts_that_it_is_used_for(tmp_path: Path) -> None:
    train, test = _manifest(tmp_path / "train", "t"), _manifest(tmp_path / "test", "qg", cameras=False)
    first, second = ({"name": "manifest", "root": str(root)} for root in (train, test))
    named = {"train": first, "test": {"own": second}}
    opened = open_trial_data(_trial({**named, "image_size": [16, 8], "holdout": 0.0}), 1, tmp_path / "cache")
    assert opened.class_count == 4
    assert str(opened.sets["test/own"].rule) == "same image"
    swapped = {"train": second, "test": {"own": first}, "holdout": 0.0}
    with pytest.raises(DataError, match=f"manifest in {test}: has no image of the split train"):
        open_trial_data(_trial(swapped), 1, tmp_path / "cache")
    with pytest.raises(DataError, match=f"manifest in {train}: has no image of the split query"):
        open_trial_data(_trial(first), 1, tmp_path / "cache")


def test_one_interpolation_holds_for_all_sets_and_is_written_once_if_at_all(tmp_path: Path) -> None:
    train, test = _manifest(tmp_path / "train", "t"), _manifest(tmp_path / "test", "qg", cameras=False)
    first, second = ({"name": "manifest", "root": str(root)} for root in (train, test))
    named = {"train": first, "test": {"own": second}, "image_size": [24, 12], "holdout": 0.0}
    config = _trial({**named, "interpolation": "bicubic"})
    written = json.loads(config.model_dump_json())
    assert written["data"]["interpolation"] == "bicubic"
    members = [*written["data"]["train"], *written["data"]["test"].values()]
    assert all("interpolation" not in member for member in members)
    assert TrialConfig.model_validate(written) == config
    assert {use.data.interpolation for use in config.data.sets} == {"bicubic"}
    assert "interpolation" not in json.loads(_trial(named).model_dump_json())["data"]
    galleries = [
        open_trial_data(one, 1, tmp_path / "cache").sets["test/own"].gallery for one in (config, _trial(named))
    ]
    bicubic, bilinear = (gallery.at(np.arange(len(gallery))).pixels for gallery in galleries)
    assert not np.array_equal(bicubic, bilinear)


def test_moving_the_folders_changes_no_key_and_editing_one_does(market: Path, tmp_path: Path) -> None:
    other = _manifest(tmp_path / "own", "tqg")

    def key(first: Path, second: Path) -> str:
        data = {"train": [{"name": "market1501", "root": str(first)}, {"name": "manifest", "root": str(second)}],
                "test": {"m": {"name": "market1501", "root": str(first)}}}  # fmt: skip
        config = _trial(data)
        return trial_key(config, config.data.fingerprint())

    before = key(market, other)
    moved = shutil.copytree(market, tmp_path / "elsewhere/market"), shutil.copytree(other, tmp_path / "elsewhere/own")
    assert key(*moved) == before
    write_image(moved[1] / "a01.jpg", 999)
    assert key(*moved) != before


@pytest.mark.parametrize("cameras", [True, False])
def test_which_test_is_which_set_is_part_of_the_key_wherever_the_sets_lie(tmp_path: Path, cameras: bool) -> None:
    one, two = (_manifest(tmp_path / name, "tqg", cameras, seed) for name, seed in (("one", 0), ("two", 1)))
    copy = shutil.copytree(two, tmp_path / "copy of two")

    def key(**test: Path) -> str:
        sets = {name: {"name": "manifest", "root": str(root)} for name, root in test.items()}
        config = _trial({"train": [{"name": "manifest", "root": str(one)}], "test": sets})
        found = config.data.fingerprint()
        assert Fingerprints().of_trial(config) == found
        return trial_key(config, found)

    assert key(a=one, b=two) != key(a=two, b=one)
    assert key(a=one, b=two) == key(a=one, b=copy)
    assert len({key(a=one, b=one, c=two), key(a=one, b=two, c=one), key(a=one, b=two, c=two)}) == 3


def test_settings_of_all_are_written_once_and_the_first_set_gives_the_usual_size() -> None:
    config = _several(train=["market1501", "dukemtmc"], holdout=0.1)
    assert config.name == "several"
    assert config.image_size == (256, 128)
    assert list(config.tested) == ["test", "test/market1501", "test/dukemtmc"]
    assert {use.data.holdout for use in config.sets} == {0.1}
    written = config.model_dump(mode="json")
    assert all("image_size" not in member for member in written["train"])
    assert DATASETS.validate(written) == config
    assert _several(train=UNIT).image_size == (64, 32)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"train": []}, "at least 1 item"),
    ({"train": [UNIT, UNIT]}, "this data set is in the list twice"),
    ({"train": [UNIT, OTHER]}, "are not told apart by their names"),
    ({"train": [{**UNIT, "image_size": [32, 16]}]}, "write it once, as data.image_size"),
    ({"train": [UNIT], "test": {"x": {**UNIT, "holdout": 0.5}}}, "write it once, as data.holdout"),
    ({"train": [{"train": [UNIT]}]}, "several data sets within several"),
    ({"train": ["marketl501"]}, "did you mean 'market1501'"),
    ({"train": [UNIT], "test": {"a/b": UNIT}}, "'a/b' is not a valid name"),
    ({"name": "synthetic", "train": [UNIT]}, "'train' is a setting of the data set several"),
]


@pytest.mark.parametrize(("content", "said"), WRONG)
def test_a_wrong_setting_is_named(content: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DATASETS.validate(content)


def test_data_gives_each_set_the_folder_of_its_name(tmp_path: Path) -> None:
    config = _several(train=["market1501", UNIT], test={"duke": "dukemtmc"}).at(tmp_path)
    roots = [getattr(use.data, "root", None) for use in config.sets]
    assert roots == [tmp_path / "market1501", None, tmp_path / "dukemtmc"]
    own = _several(train=[{"name": "manifest", "root": "/a"}], test={"b": "manifest"}).at(tmp_path)
    assert [use.data.root for use in own.sets] == [Path("/a"), tmp_path / "manifest"]  # type: ignore[attr-defined]
    with pytest.raises(StudyError, match="every data set has a root of its own"):
        _several(train=[{"name": "manifest", "root": "/a"}]).at(tmp_path)


def test_no_redraw_of_one_set_is_a_redraw_of_another() -> None:
    config = _several(train=[UNIT, {**UNIT, "seed": 1}], test={"a": UNIT, "c": {**UNIT, "seed": 2}})
    drawn = [use.data.model_dump_json() for number in range(5) for use in config.redrawn(number).sets]
    assert len(set(drawn)) == len(drawn) == 15
    assert config.redrawn(0) == config


STUDY = """\
name: several
base:
  data: {{{data}}}
  model: {{architecture: baseline, backbone: resnet10_thin}}
  training: {{images: 64, batch: {{ids: 2, per_id: 2}}}}
{rest}"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(data: str, rest: str) -> Path:
        path = tmp_path / "study.yaml"
        path.write_text(STUDY.format(data=data, rest=rest))
        return path

    return write


def test_an_arm_may_turn_one_set_into_several_and_back(written: Callable[..., Path]) -> None:
    both = "[{name: synthetic, preset: unit}, {name: synthetic, preset: unit, seed: 7}]"
    axes = f"axes: {{set: {{variants: {{one: {{}}, both: {{data: {{train: {both}, test: {{a: synthetic}}}}}}}}}}}}\n"
    study = load_study(written("name: synthetic, preset: unit", axes + "phases: [{kind: ablate, design: one_factor}]"))
    found = {arm.name: arm.config.data for arm in study.plan().arms}
    assert [type(data).__name__ for data in found.values()] == ["SyntheticConfig", "SeveralConfig"]
    assert all("preset" not in data.model_dump() for data in found.values() if isinstance(data, SeveralConfig))
    axes = "axes: {set: {variants: {both: {}, one: {data: {name: synthetic, preset: unit, seed: 3}}}}}\n"
    rest = axes + "phases: [{kind: ablate, design: one_factor}]"
    study = load_study(written(f"train: {both}, test: {{a: {{name: synthetic, preset: unit}}}}", rest))
    assert [arm.config.data.name for arm in study.plan().arms] == ["several", "synthetic"]


def test_paths_within_are_those_of_the_study_file_and_levels_have_their_names(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    for seed, name in enumerate(("a", "b")):
        _manifest(tmp_path / name, "tqg", seed=9000 * seed)
    a, b = ("{name: manifest, root: ./a}", "{name: manifest, root: ./b}")
    axes = f"axes: {{data.train: {{choice: {{a: [{a}], b: [{b}], both: [{a}, {b}]}}}}}}\n"
    rest = axes + "phases: [{kind: ablate, design: one_factor}]\n"
    study = load_study(written(f"train: [{a}, {b}], test: {{x: {a}}}, image_size: [16, 8]", rest))
    arms = study.plan().arms
    assert [arm.name for arm in arms] == ["baseline", "data.train=a", "data.train=b"]
    assert arms[0].settings["data.train"].label == "both"
    found = [use.data.root for use in arms[2].config.data.sets if use.train]  # type: ignore[attr-defined]
    assert found == [tmp_path / "b"]


def test_validation_of_sets_with_different_rules_is_refused_where_there_is_one(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    _manifest(tmp_path / "a", "tqg")
    _manifest(tmp_path / "b", "tqg", cameras=False, seed=9000)
    a, b = "{name: manifest, root: ./a}", "{name: manifest, root: ./b}"
    data = f"train: [{a}, {b}], test: {{x: {a}}}, image_size: [16, 8], holdout: 0.5"
    answer = "phases: [{kind: ablate, design: one_factor}]\naxes: {losses.identity.weight: {choice: [0.5, 1.0]}}"
    load_study(written(data, answer)).plan()
    search = "phases: [{kind: search, trials: 1, sampler: random}]\n"
    with pytest.raises(StudyError, match=r"data\.train: held-out people of sets with different rules .*holdout: 0"):
        load_study(written(data, search + "axes: {training.optimizer.lr: {log_uniform: [1.0e-4, 1.0e-2]}}")).plan()


def test_an_image_of_one_set_that_another_tests_on_is_refused(written: Callable[..., Path], tmp_path: Path) -> None:
    _manifest(tmp_path / "a", "tqg")
    _manifest(tmp_path / "b", "tqg", seed=9000)
    a, b = "{name: manifest, root: ./a}", "{name: manifest, root: ./b}"
    rest = "phases: [{kind: ablate, design: one_factor}]\naxes: {losses.identity.weight: {choice: [0.5, 1.0]}}"
    study = written(f"train: {a}, test: {{x: {b}}}, image_size: [16, 8]", rest)
    load_study(study).plan()
    shutil.copy(tmp_path / "a/c01.jpg", tmp_path / "b/d22.jpg")
    with pytest.raises(DataError, match=r"a/c01\.jpg is trained on .* tested on as .*b/d22\.jpg .*1 such image\)"):
        load_study(study).plan()


@pytest.mark.parametrize("other", ["link", "copy"])
def test_the_same_people_are_not_trained_on_twice_from_another_place(
    written: Callable[..., Path], tmp_path: Path, other: str
) -> None:
    _manifest(tmp_path / "a", "tqg")
    if other == "link":
        (tmp_path / "link").symlink_to(tmp_path / "a")
    else:
        shutil.copytree(tmp_path / "a", tmp_path / "copy")
    a, b = "{name: manifest, root: ./a}", f"{{name: manifest, root: ./{other}}}"
    rest = "phases: [{kind: ablate, design: one_factor}]\naxes: {losses.identity.weight: {choice: [0.5, 1.0]}}"
    study = written(f"train: [{a}, {b}], test: {{x: {a}}}, image_size: [16, 8]", rest)
    with pytest.raises(
        DataError, match=rf"a/a01\.jpg is trained on .*/{other}/a01\.jpg of manifest \(in {other}\) \(8 such images\)"
    ):
        load_study(study).plan()


def test_sets_of_one_kind_are_told_apart_in_the_plan_and_in_the_facts_of_a_trial(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    for name, seed in (("a", 0), ("b", 50_000)):
        _manifest(tmp_path / name, "tqg", seed=seed)
        (tmp_path / name / "notes.txt").write_text("no image")
    first, second = (f"{{name: manifest, root: ./{name}}}" for name in "ab")
    data = f"train: {first}, test: {{a: {first}, b: {second}}}, image_size: [16, 8], holdout: 0.0"
    rest = f"phases: [{{kind: ablate}}]\naxes: {{data.train: {{choice: {{a: [{first}], b: [{second}]}}}}}}"
    study = load_study(written(data, rest))
    planned = study.plan()
    used = "not used: files that are no images (1)"
    assert [line for line in planned.warnings if "not used" in line] == [
        f"data, manifest (in a): {used}",
        f"data, manifest (in b): {used}",
    ]
    assert any(
        "every trial on manifest (in a), manifest (in b) starts from random" in line for line in planned.warnings
    )
    opened = open_trial_data(planned.arms[0].config, 1, tmp_path / "cache")
    assert opened.facts == planned.arms[0].config.data.facts()
    assert opened.facts.unused == {f"manifest (in {name}): files that are no images": 1 for name in "ab"}


def test_trials_that_differ_in_their_weights_start_from_random_values_in_the_plural(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    root = _manifest(tmp_path / "a", "tqg")
    (tmp_path / "w.pth").write_bytes(b"weights")
    data = f"name: manifest, root: {root}, image_size: [16, 8], holdout: 0.0"
    rest = "phases: [{kind: ablate, design: one_factor}]\naxes: {model.weights: {choice: {none: null, own: w.pth}}}"
    [said] = [line for line in load_study(written(data, rest)).plan().warnings if "PRETRAINED" in line]
    assert "some trials on manifest start from random values" in said


def test_a_claim_names_a_test_that_there_is(written: Callable[..., Path]) -> None:
    data = "train: {name: synthetic, preset: unit}, test: {a: {name: synthetic, preset: unit}}"
    rest = """\
axes: {{losses.identity.weight: {{choice: [0.5, 1.0]}}}}
claims: {{weight: {{better: {{losses.identity.weight: 1.0}}, than: {{losses.identity.weight: 0.5}}, metric: {metric}}}}}
phases: [{{kind: ablate, design: claims}}]
"""
    assert load_study(written(data, rest.format(metric="a/rank1"))).config.claims["weight"].metric == "a/rank1"
    with pytest.raises(StudyError, match=r"no test of the name 'b' in data\.test .*a/rank1"):
        load_study(written(data, rest.format(metric="b/rank1")))
    with pytest.raises(StudyError, match="single_shot_rank1' is not measured on data set 'a'"):
        load_study(written(data, rest.format(metric="a/single_shot_rank1")))
