"""Folders that are nearly a data set: `data check` and `data import` say what is missing, and where to look."""

import shlex
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

Command = Callable[..., Any]
MARKET = {
    "bounding_box_train": ["0002_c1s1_000451_03.jpg", "0002_c2s1_000451_03.jpg", "0007_c1s1_000451_03.jpg"],
    "query": ["0001_c1s1_001051_00.jpg"],
    "bounding_box_test": ["0001_c2s1_001051_01.jpg", "-1_c1s1_001051_01.jpg"],
}
MSMT = {
    "train": ["0000/0000_000_01_0303morning_0015_0.jpg", "0001/0001_003_14_0113noon_0300_1_ex.jpg"],
    "val": ["0000/0000_009_02_0303afternoon_0015_0.jpg"],
    "query": ["0000/0000_000_03_0303morning_0033_1.jpg"],
    "gallery": ["0000/0000_001_05_0303morning_0037_0.jpg", "0001/0001_001_05_0303morning_0037_0.jpg"],
}


def _fill(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 16)).save(path)


@pytest.fixture
def market(tmp_path: Path) -> Path:
    for folder, names in MARKET.items():
        _fill(tmp_path / "data/Market-1501" / folder, names)
    return tmp_path / "data/Market-1501"


@pytest.fixture
def msmt(tmp_path: Path) -> Path:
    root = tmp_path / "MSMT17_V1"
    for part, names in MSMT.items():
        _fill(root / ("train" if part in ("train", "val") else "test"), names)
        (root / f"list_{part}.txt").write_text("".join(f"{name} {int(name[:4])}\n" for name in names))
    return root


@pytest.mark.parametrize("place", ["", "Market-1501/query", "Market-1501/pytorch"])
def test_the_folder_around_or_inside_a_data_set_points_to_it(command: Command, market: Path, place: str) -> None:
    for name in ("train_all", "train", "val", "query", "gallery"):
        _fill(market / "pytorch" / name / "0002", ["0002_c1s1_000451_03.jpg"])
    answer = command("data", "check", market.parent / place)
    assert answer.code == 2
    assert "looks like no data set that is known; did you mean " in answer.err
    said = f"did you mean {market}? It looks like market1501: write data: {{name: market1501, root: {market}}}\n"
    assert said in answer.err


def test_a_copy_sorted_by_identity_is_known_without_its_original(command: Command, tmp_path: Path) -> None:
    for name in ("train_all", "train", "val", "query", "gallery"):
        _fill(tmp_path / "pytorch" / name / "0002", ["0002_c1s1_000451_03.jpg"])
    answer = command("data", "check", "pytorch")
    said = "a copy sorted into a folder for each identity; name the original"
    assert (answer.code, said in answer.err) == (2, True), answer.err


def _renamed(root: Path) -> None:
    (root / "bounding_box_train").rename(root / "bounding_box_trian")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda root: shutil.rmtree(root / "query"), "most like market1501: query missing; found bounding_box_test"),
        (_renamed, "most like market1501: bounding_box_train missing; found bounding_box_test, bounding_box_trian"),
        (lambda root: [path.unlink() for path in (root / "query").iterdir()], "query: holds no images; expected names"),
        (
            lambda root: _fill(root / "query", ["a copy.jpg"]),
            "query/a copy.jpg: this name is not of the form of Market",
        ),
    ],
)
def test_what_a_known_data_set_lacks_is_named(
    command: Command, market: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(market)
    answer = command("data", "check", market)
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert "it is most like market1501: " in answer.err
    assert "data import" in answer.err


@pytest.mark.parametrize("name", ["Occluded_Duke", "DukeMTMC-reID", "mine"])
@pytest.mark.parametrize("lacking", [[], ["query"], ["bounding_box_train", "bounding_box_test"]], ids=len)
def test_occluded_duke_and_duke_without_parts_are_told_apart(
    command: Command, tmp_path: Path, name: str, lacking: list[str]
) -> None:
    """By the name of the folder: so few images are as far from both."""
    for folder in {*MARKET} - {*lacking}:
        _fill(tmp_path / name / folder, ["0002_c1_f0044158.jpg", "0003_c2_f0044158.jpg"])
    answer = command("data", "check", tmp_path / name)
    found = "occluded_duke" if name == "Occluded_Duke" else "dukemtmc"
    missing = f"it is most like {found}: {', '.join(lacking)} missing; found "
    said = missing if lacking else f"looks like {found} or "
    assert said in answer.err


def test_msmt17_without_a_list_or_a_folder_is_known(command: Command, msmt: Path) -> None:
    (msmt / "list_query.txt").unlink()
    answer = command("data", "check", msmt)
    assert "it is most like msmt17: " in answer.err
    assert "list_query.txt: no such file" in answer.err
    shutil.rmtree(msmt / "train")
    assert "it is most like msmt17: train or mask_train_v2 missing" in command("data", "check", msmt).err


def test_what_is_wrong_with_a_manifest_is_said_without_its_name_too(command: Command, tmp_path: Path) -> None:
    _fill(tmp_path / "own", ["a.png"])
    (tmp_path / "own/manifest.csv").write_text("path,identity\na.png,1\n")
    for asked in ([], ["--name", "manifest"]):
        answer = command("data", "check", "own", *asked)
        assert answer.err.startswith(f"reid-search: {tmp_path}/own/manifest.csv: column 'split' is missing"), answer.err


def test_the_command_that_draws_a_missing_split_draws_it(command: Command, tmp_path: Path) -> None:
    names = [f"{person} {place}.png" for person in range(4) for place in range(2)]
    _fill(tmp_path / "our own", names)
    rows = "".join(f"{name},{name[0]}\n" for name in names)
    (tmp_path / "our own/manifest.csv").write_text(f"path,identity\n{rows}")
    said = command("data", "check", "our own").err
    advised = shlex.split(said.partition("`")[2].partition("`")[0])
    assert advised[:3] == ["reid-search", "data", "import"]
    drawn = command(*advised[1:])
    assert (drawn.code, "query    2 images of 2 identities" in drawn.err) == (0, True), drawn.err


def test_a_file_that_a_manifest_names_is_missing_in_one_of_its_lines(command: Command, tmp_path: Path) -> None:
    own = tmp_path / "own"
    _fill(own, ["a/1.png", "a/2.png"])
    rows = ["a/1.png,1,train,", "a\\2.png,2,train,", "a/2.png,2,train,maps\\2.png"]
    (tmp_path / "own/manifest.csv").write_text("\n".join(["path,identity,split,maps", *rows]))
    checked = command("data", "check", "own")
    assert checked.code == 2
    said = rf"{own}/manifest.csv:3: {own}/a\2.png: no such file; folders in a path are divided by /, as in a/b.jpg"
    assert said in checked.err
    skipped = command("data", "check", "own", "--skip-broken")
    said = rf"{own}/manifest.csv:4: {own}/maps\2.png: no such file; folders in a path are divided by /"
    assert (skipped.code, said in skipped.err) == (2, True), skipped.err
    assert "--skip-broken" not in skipped.err


def test_a_folder_like_nothing_is_said_to_be_that(command: Command, tmp_path: Path) -> None:
    _fill(tmp_path / "own/query", ["a.png"])
    (tmp_path / "own/circle").symlink_to("circle")
    answer = command("data", "check", "own")
    assert answer.code == 2
    assert "looks like no data set that is known; say with --name" in answer.err


def test_an_import_from_the_wrong_folder_points_to_the_right_one(
    command: Command, tmp_path: Path, market: Path
) -> None:
    _fill(tmp_path / "above/own/1", ["a.png"])
    answer = command("data", "import", "above")
    assert (answer.code, "did you mean the folder above/own?" in answer.err) == (2, True), answer.err
    answer = command("data", "import", market)
    said = "too few identities to draw a split: 3 (bounding_box_test, bounding_box_train, query)"
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert f"this folder looks like market1501: write data: {{name: market1501, root: {market}}}" in answer.err


def test_msmt17_without_its_list_of_validation_says_how_to_go_on(command: Command, msmt: Path) -> None:
    (msmt / "list_val.txt").unlink()
    answer = command("data", "check", msmt, "--name", "msmt17")
    assert (answer.code, "list_val.txt: no such file; put the list there, or leave out" in answer.err) == (2, True)
    assert "training: train" in answer.err
    checked = command("data", "check", msmt, "--name", "msmt17", "--set", "training=train")
    assert (checked.code, "train    2 images" in checked.out) == (0, True), checked.err


def test_a_list_of_queries_that_is_a_copy_of_the_gallery_s_is_refused(command: Command, msmt: Path) -> None:
    shutil.copy(msmt / "list_gallery.txt", msmt / "list_query.txt")
    answer = command("data", "check", msmt, "--name", "msmt17")
    said = "list_query.txt: 2 of its 2 images are in list_gallery.txt too, such as test/0000/0000_001_05"
    assert (answer.code, said in answer.err) == (2, True), answer.err


def _cuhk03(root: Path, images: str, protocol: str) -> Path:
    """A folder of CUHK03 with four people in one view each, two of whom are tested."""
    names = [f"1_{person:03}_{view}_01.png" for person in (1, 2, 3, 4) for view in (1, 2)]
    _fill(root / images, names)
    filelist = np.empty((len(names), 1), object)
    filelist[:, 0] = [np.array([name]) for name in names]
    content = {
        "filelist": filelist,
        "labels": np.repeat([1, 2, 3, 4], 2)[:, None],
        "camId": np.tile([1, 2], 4)[:, None],
        "train_idx": np.array([1, 2, 3, 4])[:, None],
        "query_idx": np.array([5, 7])[:, None],
        "gallery_idx": np.array([6, 8])[:, None],
    }
    savemat(root / f"cuhk03_new_protocol_config_{protocol}.mat", content)
    return root


def test_half_extracted_cuhk03_says_how_many_images_are_missing(command: Command, tmp_path: Path) -> None:
    root = _cuhk03(tmp_path / "cuhk03", "images_detected", "detected")
    assert command("data", "check", root).code == 0
    for person in (2, 3, 4):
        (root / f"images_detected/1_{person:03}_2_01.png").unlink()
    answer = command("data", "check", root)
    assert answer.code == 2
    assert "it is most like cuhk03: " in answer.err
    assert (
        "1_002_2_01.png: no such file, and cuhk03_new_protocol_config_detected.mat names it; 3 of the 8" in answer.err
    )


def test_cuhk03_with_the_protocol_of_the_other_boxes_names_the_setting(command: Command, tmp_path: Path) -> None:
    root = _cuhk03(tmp_path / "cuhk03", "images_detected", "labeled")
    answer = command("data", "check", root, "--name", "cuhk03")
    said = "config_labeled.mat is there, of labelled boxes; to read those, write boxes: labelled in a study ("
    assert (answer.code, said in answer.err) == (2, True), answer.err


def test_distractors_that_are_not_there_say_where_they_come_from(command: Command, market: Path) -> None:
    answer = command("data", "check", market, "--name", "market1501", "--set", "distractors=true")
    said = "images: no such folder; expected the 500,000 distractors of Market-1501, an archive of their own"
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert "allowed: distractors: false" in answer.err
