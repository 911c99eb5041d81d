"""Folders that are nearly a data set: `data check` and `data import` say what is missing, and where to look."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

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
    "gallery": ["0000/0000_001_05_0303morning_0037_0.jpg"],
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
    said = f"did you mean {market}? It looks like market1501: write data: {{name: market1501, root: {market}}}"
    assert said in answer.err


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


def test_msmt17_without_a_list_or_a_folder_is_known(command: Command, msmt: Path) -> None:
    (msmt / "list_query.txt").unlink()
    answer = command("data", "check", msmt)
    assert "it is most like msmt17: " in answer.err
    assert "list_query.txt: no such file" in answer.err
    shutil.rmtree(msmt / "train")
    assert "it is most like msmt17: train or mask_train_v2 missing" in command("data", "check", msmt).err


def test_a_manifest_that_is_wrong_is_most_like_a_manifest(command: Command, tmp_path: Path) -> None:
    _fill(tmp_path / "own", ["a.png"])
    (tmp_path / "own/manifest.csv").write_text("path,identity\na.png,1\n")
    answer = command("data", "check", "own")
    assert "it is most like manifest: own/manifest.csv: column 'split' is missing" in answer.err, answer.err


def test_a_folder_like_nothing_is_said_to_be_that(command: Command, tmp_path: Path) -> None:
    _fill(tmp_path / "own/query", ["a.png"])
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
