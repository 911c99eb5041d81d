"""`reid-search data`: making synthetic data sets and checking any data set."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid_search.cli import data as data_commands

Command = Callable[..., object]


def test_a_made_data_set_holds_the_settings_that_were_asked_for(command: Command, tmp_path: Path) -> None:
    settings = ("people.twins=0.5", "nuisances.shift=0.8", "nuisances={light: 0, shift: 0.8}", "boxes=labelled")
    sets = [part for setting in settings for part in ("--set", setting)]
    answer = command("data", "make", "here/twins", "--preset", "unit", "--seed", "3", *sets)
    assert (answer.code, answer.out.strip()) == (0, "here/twins")
    assert "contact_sheet.png" in answer.err
    manifest = json.loads((tmp_path / "here/twins/manifest.json").read_text())
    assert (manifest["preset"], manifest["seed"], manifest["boxes"]) == ("unit", 3, "labelled")
    assert manifest["people"]["twins"] == 0.5
    assert (manifest["nuisances"]["shift"], manifest["nuisances"]["light"]) == (0.8, 0.0)
    assert manifest["nuisances"]["camera_cast"] == 1.0
    with Image.open(tmp_path / "here/twins/contact_sheet.png") as sheet:
        assert sheet.format == "PNG"
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["twins"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--preset", "tinny"], "did you mean 'tiny'"),
        (["--seed", "-1"], "seed: -1"),
        (["--set", "nuisances.shfit=0.8"], "did you mean 'shift'"),
        (["--set", "nuisances.shift=1.8"], "nuisances.shift: 1.8"),
        (["--set", "people.family_size=9"], "people.family_size: 9"),
        (["--set", "people.twins"], "expected PATH=VALUE"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_made(
    command: Command, tmp_path: Path, arguments: list[str], said: str
) -> None:
    answer = command("data", "make", "here/data", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "here").exists()


def test_a_check_describes_images_and_side_cars(command: Command, unit: Path) -> None:
    answer = command("data", "check", "unit", "--json")
    found = json.loads(answer.out)
    assert answer.code == 0
    assert found["train"] == {"images": 72, "identities": 12, "cameras": 3, "distractors": 0, "junk": 0}
    assert found["gallery"] == {"images": 54, "identities": 12, "cameras": 3, "distractors": 12, "junk": 6}
    assert found["image_sizes"] == {"128x64": 162}
    assert set(found["side_cars"]) == {"maps", "keypoints", "attributes"}
    assert set(found["side_cars_from"].values()) == {"truth"}
    assert (found["unreadable"], found["side_car_problems"]) == ([], [])
    text = command("data", "check", "unit").out
    for said in ("12 identities", "162 of 128x64", "unit/masks", "unit/keypoints", "unit/attributes.csv"):
        assert said in text


def test_a_check_counts_what_is_not_used(command: Command, unit: Path) -> None:
    for name in ("query/Thumbs.db", "bounding_box_test/.DS_Store"):
        (unit / name).write_bytes(b"no image")
    told = command("data", "check", "unit").out
    assert "not used hidden files (2): query/Thumbs.db, bounding_box_test/.DS_Store" in told


def test_a_data_set_without_side_cars_is_no_mistake(command: Command, unit: Path) -> None:
    for name in ("masks", "keypoints"):
        shutil.rmtree(unit / name)
    (unit / "attributes.csv").unlink()
    answer = command("data", "check", "unit")
    assert answer.code == 0
    assert answer.out.count("none") == 3


def _first(unit: Path, folder: str) -> Path:
    return sorted((unit / folder).iterdir())[-1]


def _no_mask(unit: Path) -> None:
    _first(unit, "masks").unlink()


def _another_size(unit: Path) -> None:
    Image.new("L", (32, 64)).save(_first(unit, "masks"))


def _other_values(unit: Path) -> None:
    Image.fromarray(np.full((128, 64), 9, np.uint8)).save(_first(unit, "masks"))


def _cut_mask(unit: Path) -> None:
    path = _first(unit, "masks")
    path.write_bytes(path.read_bytes()[:40])


def _keypoint_outside(unit: Path) -> None:
    content = {"keypoints": [70.0, 5.0, 2.0] + [0.0] * 48, "image_size": [128, 64]}
    _first(unit, "keypoints").write_text(json.dumps(content))


def _no_row(unit: Path) -> None:
    lines = (unit / "attributes.csv").read_text().splitlines()
    (unit / "attributes.csv").write_text("\n".join(lines[:2]) + "\n")


def _stranger(unit: Path) -> None:
    table = unit / "attributes.csv"
    table.write_text(table.read_text() + "999" + table.read_text().splitlines()[1].lstrip("0123456789") + "\n")


def _cut_image(unit: Path) -> None:
    path = _first(unit, "query")
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_no_mask, "no such file"),
        (_another_size, "64×32"),
        (_other_values, "holds the value 9"),
        (_cut_mask, "not a readable part map"),
        (_keypoint_outside, "nose lies at (70, 5), outside"),
        (_no_row, "no attributes of identity"),
        (_stranger, "identity 999 is not in the data set"),
        (_cut_image, "unreadable images: 1"),
    ],
)
def test_a_check_names_what_is_wrong(command: Command, unit: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(unit)
    answer = command("data", "check", "unit")
    assert answer.code == 2
    assert said in answer.err
    assert "12 identities" in answer.out


def test_many_problems_are_cut_short() -> None:
    text = data_commands._problems("problems", [f"problem {number}" for number in range(50)])
    assert text.startswith("problems: 50\nproblem 0\n")
    assert text.endswith("problem 19\n… and 30 more")


def test_images_by_identity_are_imported_trained_on_and_reported(command: Command, tmp_path: Path) -> None:
    """Two hundred identities without cameras, from a folder to a report."""
    for identity in range(200):
        for frame in range(3):
            path = tmp_path / "own" / f"person {identity}" / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 16), (identity, frame * 40, 255 - identity)).save(path)
    elsewhere = command("data", "import", tmp_path / "own", "--to", tmp_path / "elsewhere.csv")
    assert (elsewhere.code, "paths in a manifest start from its own folder" in elsewhere.err) == (2, True)
    imported = command("data", "import", tmp_path / "own")
    assert (imported.code, imported.out.strip()) == (0, str(tmp_path / "own" / "manifest.csv"))
    assert "no cameras" in imported.err
    again = command("data", "import", tmp_path / "own")
    assert (again.code, "exists already" in again.err) == (2, True)
    checked = command("data", "check", tmp_path / "own")
    assert "looks like manifest" in checked.err
    assert "train    300 images, 100 identities, 0 cameras" in checked.out
    study = tmp_path / "study.yaml"
    study.write_text(
        "name: own\n"
        "base:\n"
        "  data: {name: manifest, root: own, image_size: [16, 8]}\n"
        "  model: {architecture: baseline, backbone: resnet10_thin, embedding_dim: 16}\n"
        "  training: {images: 32, batch: {ids: 4, per_id: 2}}\n"
        "axes: {losses.triplet.margin: {choice: [0.3, 1.2]}}\n"
        "phases: [{kind: ablate, seeds: 1}]\n"
    )
    ran = command("run", study, "--address", "none", "--storage", tmp_path / "runs")
    assert ran.code == 0, ran.err
    report = (tmp_path / "runs" / "own" / "report" / "report.md").read_text()
    assert "no cameras: nothing but the query itself is removed" in report


def _images(root: Path, names: Sequence[str]) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 16), (number, 0, 0)).save(path)
    return root


def _list(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_an_import_says_which_columns_nothing_reads(command: Command, tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(16)]
    root = _images(tmp_path / "own", names)
    rows = [f"{name},{number // 4},{number % 2},0 0 4 4,day" for number, name in enumerate(names)]
    _list(root / "list.csv", "path,identity,camera,bbox,weather", *rows)
    answer = command("data", "import", "own", "--list", "own/list.csv")
    said = "columns that nothing reads, kept as labels: weather; bbox (did you mean box?)"
    assert (answer.code, said in answer.err) == (0, True), answer.err
    checked = command("data", "check", "own")
    assert (checked.code, f"note     {said}" in checked.out) == (0, True), checked.err
    assert "a search, which holds identities out, is refused: data.holdout: 0.2 of 2" in checked.out
    assert command("data", "check", "own", "--set", "holdout=0.2").code == 2
    study = _list(
        tmp_path / "study.yaml",
        "name: own",
        "base:",
        "  data: {name: manifest, root: own, image_size: [16, 8]}",
        "  model: {architecture: baseline, backbone: resnet10_thin}",
        "  training: {images: 8, batch: {ids: 2, per_id: 2}}",
        "axes: {losses.triplet.margin: {choice: [0.3, 1.2]}}",
        "phases: [{kind: ablate, seeds: 1}]",
    )
    planned = command("plan", study)
    assert (planned.code, said in planned.out + planned.err) == (0, True), planned.err


def test_an_import_counts_people_and_not_images_of_nobody(command: Command, tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(18)]
    _images(tmp_path / "own", names)
    rows = [f"{name},{number // 4 if number < 16 else ''}" for number, name in enumerate(names)]
    _list(tmp_path / "own/list.csv", "path,identity", *rows)
    answer = command("data", "import", "own", "--list", "own/list.csv")
    assert answer.code == 0, answer.err
    assert "gallery  8 images of 2 identities, 2 of nobody's (distractors)" in answer.err


def test_an_import_says_which_part_it_lacks(command: Command, tmp_path: Path) -> None:
    _images(tmp_path / "own/train", ["1.png", "2.png"])
    answer = command("data", "import", "own", "--pattern", "{split}/{identity}.png")
    said = "no query and no gallery image: `reid-search data check own/manifest.csv` says what that is good for"
    assert (answer.code, said in answer.err) == (0, True), answer.err


def test_an_import_of_a_list_refuses_files_that_are_not_there(command: Command, tmp_path: Path) -> None:
    _images(tmp_path / "own", ["a.png"])
    _list(tmp_path / "own/list.csv", "path,identity", "a.png,1", "b.png,1", "c.png,2")
    answer = command("data", "import", "own", "--list", "own/list.csv")
    assert (answer.code, "list.csv:3: b.png: no such file in own" in answer.err) == (2, True), answer.err
    assert "(one of 2 wrong rows)" in answer.err
    assert not (tmp_path / "own/manifest.csv").exists()


SPLITS = {
    "no query": (["train", "train", "gallery", "gallery"], "has no image of the split query"),
    "no gallery": (["train", "train", "query", "query"], "has no image of the split gallery"),
    "one camera": (["train", "train", "query", "gallery"], "every query and gallery image is of camera 1"),
    "no match": (["train", "train", "query", "gallery"], "none of the 1 queries has an image of its identity"),
    "one person": (["train", "query", "gallery"], "one identity in training"),
    "one person tested": (["train", "train", "query", "gallery"], "the gallery has no image of another identity"),
    "nothing": (["gallery", "gallery", "gallery"], "has no image of the split query"),
}


@pytest.mark.parametrize("case", SPLITS)
def test_a_check_refuses_the_splits_that_a_study_refuses(command: Command, tmp_path: Path, case: str) -> None:
    splits, said = SPLITS[case]
    names = [f"images/{number}.png" for number in range(len(splits))]
    _images(tmp_path / "lists", names)
    last = len(splits) - 1
    rows = []
    for number, (name, split) in enumerate(zip(names, splits, strict=True)):
        identity = last - 1 if number == last and case != "no match" else number
        camera = 1 if case == "one camera" else number
        rows.append(f"{name},{identity},{camera},{split}")
    _list(tmp_path / "lists/own.csv", "path,identity,camera,split", *rows)
    answer = command("data", "check", "lists/own.csv")
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert "what a study refuses: 1" in answer.err
    assert "train " in answer.out, "it is described first"


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        (["train", "train"], "it can be trained on only beside a set to test on (data.test)"),
        (["query", "gallery", "other"], "it can only be tested on, beside a set to train on (data.train)"),
    ],
)
def test_a_check_says_what_a_part_of_a_data_set_is_good_for(
    command: Command, tmp_path: Path, splits: list[str], said: str
) -> None:
    _images(tmp_path / "lists", ["0.png", "1.png", "2.png"])
    identities = {"train": "{}", "query": "7", "gallery": "7", "other": "8"}
    rows = [
        f"{number}.png,{identities[split].format(number)},{number},{split.replace('other', 'gallery')}"
        for number, split in enumerate(splits)
    ]
    _list(tmp_path / "lists/own.csv", "path,identity,camera,split", *rows)
    answer = command("data", "check", "lists/own.csv")
    assert (answer.code, said in answer.out) == (0, True), answer.err


def test_a_study_has_the_maps_that_a_manifest_names(command: Command, tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(12)]
    root = _images(tmp_path / "own", names)
    for number in range(12):
        (root / "parsed").mkdir(exist_ok=True)
        Image.fromarray(np.full((16, 8), number % 5, np.uint8)).save(root / f"parsed/of {number}.png")
    splits = ["train"] * 8 + ["query", "gallery"] * 2
    rows = [f"{name},{n // 2},{n % 2},{splits[n]},parsed/of {n}.png" for n, name in enumerate(names)]
    _list(root / "list.csv", "path,identity,camera,split,maps", *rows)
    imported = command("data", "import", "own", "--list", "own/list.csv")
    assert (imported.code, "nothing reads" in imported.err) == (0, False), imported.err
    checked = command("data", "check", "own")
    assert (checked.code, f"maps       {root}/manifest.csv" in checked.out) == (0, True), checked.err
    study = _list(
        tmp_path / "study.yaml",
        "name: own",
        "base:",
        "  data: {name: manifest, root: own, image_size: [32, 16]}",
        "  model: {architecture: spreid, backbone: resnet10_thin}",
        "  training: {images: 8, batch: {ids: 2, per_id: 2}}",
        "axes: {losses.identity.weight: {choice: [1.0, 0.5]}}",
        "phases: [{kind: ablate, seeds: 1}]",
    )
    planned = command("plan", study)
    assert planned.code == 0, planned.err
    both = command("plan", study, "--set", f"base.data.maps={root / 'parsed'}")
    assert (both.code, "has a column 'maps', which names them too" in both.err) == (2, True), both.err
