"""Side-cars that a manifest names in columns, of whole images and of boxes."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from reid_search.data import load_dataset, open_images
from reid_search.data.boxes import Box
from reid_search.data.manifest.config import ManifestConfig
from reid_search.data.manifest.importing import from_list
from reid_search.data.manifest.table import read_table, write_table
from reid_search.data.side_cars import side_car_problems
from reid_search.errors import DataError
from reid_search.study import DATASETS

from .conftest import write_image

SIZE = (16, 8)
SPLITS = ("train", "train", "query", "gallery")
LONG_AGO = 10**9
Rows = Sequence[Mapping[str, str]]


def _labels(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 5, size).astype(np.uint8)


def _parts(labels: np.ndarray) -> np.ndarray:
    return np.stack([255 * (labels == part) for part in range(1, 5)]).astype(np.uint8)


def _write(path: Path, rows: Rows) -> Path:
    table = pa.Table.from_pylist([dict(row) for row in rows])
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        table.to_pandas().to_csv(path, index=False)
    return path


def _whole(root: Path) -> list[dict[str, str]]:
    """Four images, each with labels and keypoints in files whose names say nothing."""
    rows = []
    for number, split in enumerate(SPLITS):
        write_image(root / f"images/{number}.jpg", number, SIZE)
        (root / "beside").mkdir(exist_ok=True)
        Image.fromarray(_labels(number)).save(root / f"beside/m{3 - number}.png")
        points = [float(number + 1), 2.0, 2.0] + [0.0] * 48
        (root / f"beside/k{3 - number}.json").write_text(json.dumps({"keypoints": points}))
        rows.append(
            {
                "path": f"images/{number}.jpg",
                "identity": f"p{min(number, 2)}",
                "camera": f"c{number % 2}",
                "split": split,
                "maps": f"beside/m{3 - number}.png",
                "keypoints": f"beside/k{3 - number}.json",
            }
        )
    return rows


def _config(root: Path, **more: Any) -> ManifestConfig:
    config = DATASETS.validate({"name": "manifest", "root": str(root), **more})
    assert isinstance(config, ManifestConfig)
    return config


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.parquet"])
def test_each_image_has_the_side_cars_of_its_row(tmp_path: Path, name: str) -> None:
    _write(tmp_path / name, _whole(tmp_path))
    config = _config(tmp_path)
    assert config.offers == {"maps", "keypoints"}
    assert config.listing().unused == {}
    dataset = load_dataset(config)
    assert side_car_problems(dataset) == []
    opened = open_images(dataset, SIZE, tmp_path / "cache", dict.fromkeys(dataset.tables, ("maps", "keypoints")))
    for part, table in dataset.tables.items():
        for row, path in enumerate(table["path"]):
            number = int(Path(path).stem)
            maps, keypoints = opened[part].maps, opened[part].keypoints
            assert maps is not None
            assert keypoints is not None
            np.testing.assert_array_equal(maps[row], _parts(_labels(number)))
            assert keypoints[row, 0].tolist() == [number + 1, 2, 2]


@pytest.mark.parametrize("place", [".", "keypoints", "poses.json"])
def test_side_cars_of_a_setting_are_used_and_files_beside_them_are_not(tmp_path: Path, place: str) -> None:
    rows = [{name: cell for name, cell in row.items() if name != "keypoints"} for row in _whole(tmp_path)]
    _write(tmp_path / "manifest.csv", rows)
    for number, path in enumerate(sorted((tmp_path / "beside").glob("*.json"))):
        if place == "poses.json":
            path.unlink()
        else:
            (tmp_path / place).mkdir(exist_ok=True)
            path.rename(tmp_path / place / f"{number}.json")
    if place == "poses.json":
        (tmp_path / place).write_text("[]")
    (tmp_path / "attributes.csv").write_text("identity\n")
    (tmp_path / "notes.txt").write_text("mine")
    listing = _config(tmp_path, keypoints=str(tmp_path / place)).listing()
    assert listing.unused == {"files that are no images": ["notes.txt"]}


@pytest.mark.parametrize("victim", ["beside/m1.png", "beside/k1.json"])
def test_their_content_is_in_the_fingerprint_and_their_place_is_not(tmp_path: Path, victim: str) -> None:
    root = tmp_path / "own"
    root.mkdir()
    _write(root / "manifest.csv", _whole(root))
    for path in root.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    before = _config(root).fingerprint()
    copy = shutil.copytree(root, tmp_path / "copy")
    assert _config(copy).fingerprint() == before
    assert _config(copy / "manifest.csv").fingerprint() == before
    (copy / "beside/foreign.png").write_bytes(b"x")
    assert _config(copy).fingerprint() == before
    content = bytearray((copy / victim).read_bytes())
    content[-1] ^= 1
    (copy / victim).write_bytes(content)
    os.utime(copy / victim, (LONG_AGO, LONG_AGO))
    assert _config(copy).fingerprint() != before


def test_an_image_without_one_is_refused_where_it_is_needed(tmp_path: Path) -> None:
    rows = _whole(tmp_path)
    rows[1] = {**rows[1], "maps": ""}
    manifest = _write(tmp_path / "manifest.csv", rows)
    dataset = load_dataset(_config(tmp_path))
    said = f"{manifest}: no part map in the row of images/1.jpg"
    assert side_car_problems(dataset) == [said]
    with pytest.raises(DataError, match=said):
        open_images(dataset, SIZE, tmp_path / "cache", {"train": ("maps",)})
    open_images(dataset, SIZE, tmp_path / "cache", {"query": ("maps",), "train": ("keypoints",)})
    _write(tmp_path / "manifest.csv", [{**row, "maps": "", "keypoints": ""} for row in rows])
    assert _config(tmp_path).offers == frozenset()


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("../m.png", r"manifest\.csv:3: maps '\.\./m\.png' leaves the manifest's folder"),
        ("/m.png", r"manifest\.csv:3: maps '/m\.png' leaves the manifest's folder"),
        ("beside/none.png", r"beside/none\.png: no such file"),
        ("beside/m3.png", r"m3\.png: holds the maps of .*/0\.jpg and of .*/1\.jpg, which are two images; each .* own$"),
        ("beside/k3.json", r"k3\.json: not a readable part map"),
    ],
)
def test_wrong_cells_are_named(tmp_path: Path, cell: str, said: str) -> None:
    rows = _whole(tmp_path)
    rows[1] = {**rows[1], "maps": cell}
    _write(tmp_path / "manifest.csv", rows)
    with pytest.raises(DataError, match=said):
        open_images(load_dataset(_config(tmp_path)), SIZE, tmp_path / "cache", {"train": ("maps",)})


def test_a_setting_and_a_column_are_refused_together(tmp_path: Path) -> None:
    manifest = _write(tmp_path / "manifest.csv", _whole(tmp_path))
    with pytest.raises(
        DataError, match=rf"data\.maps: .*; {manifest} has a column 'maps', .*; leave out one of the two"
    ):
        _config(tmp_path, maps=str(tmp_path / "beside")).facts()


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.parquet"])
def test_an_import_of_a_list_keeps_them(tmp_path: Path, name: str) -> None:
    rows = _whole(tmp_path)
    found = from_list(_write(tmp_path / f"list{Path(name).suffix}", rows), tmp_path)
    assert dict(found[0].side_cars) == {"maps": "beside/m3.png", "keypoints": "beside/k3.json"}
    write_table(tmp_path / name, found)
    assert read_table(tmp_path / name) == found
    rows[2] = {**rows[2], "keypoints": "beside/k.json"}
    with pytest.raises(DataError, match=r"list\.csv:4: beside/k\.json: no such file in .*; did you mean beside/k"):
        from_list(_write(tmp_path / "list.csv", rows), tmp_path)


def _photo(root: Path, cells: Sequence[str], boxes: Sequence[Box]) -> ManifestConfig:
    """A photo of 24 by 16 pixels with as many boxes in it."""
    write_image(root / "photo.png", 0, (16, 24))
    rows = [
        {
            "path": "photo.png",
            "identity": f"p{min(n, 2)}",
            "camera": str(n),
            "split": split,
            "box": str(box),
            "maps": cell,
        }
        for n, (split, cell, box) in enumerate(zip(SPLITS, cells, boxes, strict=True))
    ]
    _write(root / "manifest.csv", rows)
    return _config(root)


BOXES = [Box(0, 0, 8, 16), Box(8, 0, 8, 16), Box(16, 0, 8, 16), Box(4, 0, 8, 16)]


@pytest.mark.parametrize("ending", ["png", "npy", "soft.npy"])
def test_the_map_of_a_box_is_of_the_box_or_cut_from_that_of_the_whole(tmp_path: Path, ending: str) -> None:
    labels = {"whole": _labels(1, (16, 24)), "own": _labels(2, SIZE)}
    for name, values in labels.items():
        if ending == "png":
            Image.fromarray(values).save(tmp_path / f"{name}.png")
        else:
            planes = np.stack([values == label for label in range(5)]).astype(float)
            np.save(tmp_path / f"{name}.{ending}", planes if ending == "soft.npy" else values)
    cells = [f"{name}.{ending}" for name in ("whole", "own", "whole", "whole")]
    dataset = load_dataset(_photo(tmp_path, cells, BOXES))
    opened = open_images(dataset, SIZE, tmp_path / "cache", dict.fromkeys(dataset.tables, ("maps",)))
    assert side_car_problems(dataset) == []
    for part, table in dataset.tables.items():
        for row, box in enumerate(table["box"]):
            left, maps = box.x, opened[part].maps
            assert maps is not None
            expected = labels["own"] if left == 8 else labels["whole"][:, left : left + 8]
            np.testing.assert_array_equal(maps[row], _parts(expected))


@pytest.mark.parametrize(
    ("size", "cells", "said"),
    [
        (
            (16, 9),
            ["a.png", "", "", ""],
            "16×9; the map of the box 0,0,8,16 .* of photo.png, 16×24, or of the box, 16×8",
        ),
        ((8, 16), ["a.png", "", "", ""], "8×16; the map of the box 0,0,8,16"),
        (
            SIZE,
            ["a.png", "a.png", "", ""],
            "16×8; the map of the box 0,0,8,16 .*, of the size of photo.png, 16×24; several boxes share it",
        ),
    ],
)
def test_a_map_of_neither_size_or_of_two_boxes_is_refused(
    tmp_path: Path, size: tuple[int, int], cells: Sequence[str], said: str
) -> None:
    Image.fromarray(_labels(0, size)).save(tmp_path / "a.png")
    dataset = load_dataset(_photo(tmp_path, cells, BOXES))
    with pytest.raises(DataError, match=said):
        open_images(dataset, SIZE, tmp_path / "cache", {"train": ("maps",)})


def test_keypoints_of_boxes_are_refused(tmp_path: Path) -> None:
    rows = [{**row, "box": "0,0,8,16"} for row in _whole(tmp_path)]
    _write(tmp_path / "manifest.csv", rows)
    with pytest.raises(DataError, match=r"keypoints .* are of whole images, and .*manifest\.csv has boxes"):
        _config(tmp_path).listing()
