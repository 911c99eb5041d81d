"""Boxes of a manifest: one file with several people is several images."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid_search.data import load_dataset, open_images, open_trial_data
from reid_search.data.boxes import Box, named, parse_box
from reid_search.data.manifest.config import ManifestConfig
from reid_search.data.manifest.importing import from_list, with_splits
from reid_search.data.manifest.table import read_table, write_table
from reid_search.errors import DataError
from reid_search.study import TrialConfig

WIDTH, HEIGHT = 8, 16
HEADER = "path,identity,camera,split,box\n"


def _photo(path: Path, seed: int, people: int = 3) -> np.ndarray:
    """Write a photo of people side by side, and return its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, people * WIDTH, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def _write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _street(root: Path, cameras: bool = True) -> dict[str, np.ndarray]:
    """Six photos of the same three people, of whom one is trained on and a stranger is in the gallery."""
    photos = {f"{n}.png": _photo(root / f"{n}.png", n) for n in range(4)}
    rows = []
    for number, name in enumerate(photos):
        for person in range(3):
            split = "train" if person == 0 else "query" if number == 0 else "gallery"
            row = {"path": name, "identity": f"p{person}", "split": split, "box": Box(person * WIDTH, 0, WIDTH, HEIGHT)}
            rows.append(row | ({"camera": number % 2} if cameras else {}))
    _write(root / "manifest.csv", rows)
    return photos


@pytest.mark.parametrize("text", ["10,20,64,128", "10 20 64 128", "10, 20, 64, 128", "[10, 20, 64, 128]"])
def test_a_box_is_four_numbers(text: str) -> None:
    box = parse_box(text, "here")
    assert box == Box(10, 20, 64, 128)
    assert (str(box), named("a/b.jpg", box)) == ("10,20,64,128", "a/b.jpg#xywh=10,20,64,128")
    assert parse_box("", "here") is None
    assert named("a/b.jpg", None) == "a/b.jpg"


@pytest.mark.parametrize("text", ["10,20,64", "1,2,3,4,5", "-1,2,3,4", "1.5,2,3,4", "1,2,0,4", "1,2,3,0", "1234", "x"])
def test_what_is_no_box_is_named(text: str, tmp_path: Path) -> None:
    _photo(tmp_path / "a.png", 0)
    (tmp_path / "manifest.csv").write_text(f'{HEADER}a.png,1,1,train,"{text}"\n')
    with pytest.raises(DataError) as error:
        read_table(tmp_path / "manifest.csv")
    assert f"manifest.csv:2: a.png: box '{text}'; expected x,y,width,height in whole pixels" in str(error.value)


def test_an_image_is_what_its_box_holds(tmp_path: Path) -> None:
    photos = _street(tmp_path)
    dataset = load_dataset(ManifestConfig(name="manifest", root=tmp_path))
    opened = open_images(dataset, (HEIGHT, WIDTH), tmp_path / "cache")
    count = 0
    for part, table in dataset.tables.items():
        for row, image in enumerate(table.itertuples()):
            whole = photos[Path(image.path).name]
            left = (image.identity - 1) * WIDTH
            np.testing.assert_array_equal(opened[part].pixels[row], whole[:, left : left + WIDTH])
            count += 1
    assert count == 12
    assert list(dataset.query["name"]) == ["0.png#xywh=16,0,8,16", "0.png#xywh=8,0,8,16"]


def test_a_box_is_in_the_upright_image_and_may_be_left_out(tmp_path: Path) -> None:
    pixels = _photo(tmp_path / "plain.png", 5)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(np.rot90(pixels).copy())
    lying.save(tmp_path / "turned.png", exif=exif)
    people = [("train", "a"), ("query", "b"), ("gallery", "b")]
    rows = [
        {"path": name, "identity": f"{who}", "split": part, "box": box}
        for (part, who), name, box in zip(
            people, ("turned.png", "turned.png", "plain.png"), ("8,4,16,12", "0,0,24,16", ""), strict=True
        )
    ]
    _write(tmp_path / "manifest.csv", rows)
    dataset = load_dataset(ManifestConfig(name="manifest", root=tmp_path))
    crop = open_images(dataset, (12, 16), tmp_path / "cache")["train"].pixels[0]
    np.testing.assert_array_equal(crop, pixels[4:16, 8:24])
    whole = open_images(dataset, (16, 24), tmp_path / "cache")
    np.testing.assert_array_equal(whole["query"].pixels[0], pixels)
    np.testing.assert_array_equal(whole["gallery"].pixels[0], pixels)


def test_boxes_are_in_the_fingerprint_and_the_cache(tmp_path: Path) -> None:
    photos = _street(tmp_path)
    config = ManifestConfig(name="manifest", root=tmp_path)
    before, listing = load_dataset(config), config.listing()
    open_images(before, (HEIGHT, WIDTH), tmp_path / "cache")
    moved = (tmp_path / "manifest.csv").read_text().replace('"0,0,8,16"', '"4,0,8,16"')
    (tmp_path / "manifest.csv").write_text(moved)
    after = load_dataset(config)
    assert after.fingerprint != before.fingerprint
    pixels = open_images(after, (HEIGHT, WIDTH), tmp_path / "cache")["train"].pixels
    np.testing.assert_array_equal(pixels[0], photos["0.png"][:, 4:12])
    listing.lists.clear()  # the table itself is in the fingerprint; the boxes are without it
    other = config.listing()
    other.lists.clear()
    assert listing.fingerprint() != other.fingerprint()


@pytest.mark.parametrize(
    ("box", "size"), [("17,0,8,16", "24 pixels wide and 16 high"), ("0,1,8,16", "24 pixels wide and 16 high")]
)
def test_a_box_that_reaches_outside_its_image_is_named(tmp_path: Path, box: str, size: str) -> None:
    _street(tmp_path)
    text = (tmp_path / "manifest.csv").read_text()
    (tmp_path / "manifest.csv").write_text(text.replace('"0,0,8,16"', f'"{box}"', 1))
    config = ManifestConfig(name="manifest", root=tmp_path)
    with pytest.raises(DataError) as error:
        config.facts_and_check()
    path = tmp_path / "manifest.csv"
    assert str(error.value) == f"{path}:2: 0.png: box {box} reaches outside the image, which is {size}"
    assert error.value.exit_code == 2


def test_one_box_has_one_row(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(HEADER + 'a.png,1,1,train,"0,0,8,16"\na.png,2,1,train,0 0 8 16\n')
    with pytest.raises(DataError, match=r"manifest\.csv:3: a\.png#xywh=0,0,8,16 is in line 2 too"):
        read_table(tmp_path / "manifest.csv")


@pytest.mark.parametrize("place", ["masks", "keypoints"])
def test_side_cars_of_whole_images_and_boxes_are_refused_together(tmp_path: Path, place: str) -> None:
    _street(tmp_path)
    (tmp_path / place).mkdir()
    with pytest.raises(DataError, match=f"{place}: .* are of whole images, and .*manifest.csv has boxes"):
        ManifestConfig(name="manifest", root=tmp_path).listing()


def test_without_cameras_a_query_is_its_box_and_not_its_file(tmp_path: Path) -> None:
    """The gallery holds the query's own box in a copy of the photo, which is left out, and another of its person."""
    pixels = _photo(tmp_path / "a.png", 1, people=4)
    Image.fromarray(pixels).save(tmp_path / "copy.png")
    boxes = [Box(WIDTH * person, 0, WIDTH, HEIGHT) for person in range(4)]
    rows = [
        *({"path": "copy.png", "identity": n, "split": "train", "box": boxes[n]} for n in (2, 3)),
        {"path": "a.png", "identity": 0, "split": "query", "box": boxes[0]},
        *({"path": "copy.png", "identity": 0, "split": "gallery", "box": boxes[n]} for n in (0, 1)),
        {"path": "a.png", "identity": 1, "split": "gallery", "box": boxes[2]},
    ]
    _write(tmp_path / "manifest.csv", rows)
    data = {"name": "manifest", "root": str(tmp_path), "holdout": 0.0}
    model = {"architecture": "baseline", "backbone": "resnet10_thin"}
    training = {"batch": {"ids": 2, "per_id": 2}}
    config = TrialConfig.model_validate({"data": data, "model": model, "training": training})
    query, gallery = open_trial_data(config, 0, tmp_path / "cache").sets["test"].compared()["image"]
    assert sorted((gallery == query[0]).tolist()) == [False, False, True]


def test_a_list_brings_its_boxes(tmp_path: Path) -> None:
    rows = [
        {"path": f"{n // 2}.png", "identity": n % 5, "camera": n // 2 % 2, "box": f"{n % 2 * 8} 0 8 16"}
        for n in range(40)
    ]
    _write(tmp_path / "list.csv", rows)
    for number in range(20):
        _photo(tmp_path / f"{number}.png", number)
    found = with_splits(from_list(tmp_path / "list.csv", tmp_path), 0.4, seed=0)
    assert {row.box for row in found} == {Box(0, 0, 8, 16), Box(8, 0, 8, 16)}
    queries = [row for row in found if row.split == "query"]
    assert len(queries) == len({(row.identity, row.camera) for row in queries}) == 4
    for name in ("manifest.csv", "manifest.parquet"):
        write_table(tmp_path / name, found)
        assert read_table(tmp_path / name) == found
    (tmp_path / "wrong.csv").write_text("path,identity,box\na.png,1,all\n")
    with pytest.raises(DataError, match=r"wrong\.csv:2: a\.png: box 'all'; expected x,y,width,height"):
        from_list(tmp_path / "wrong.csv", tmp_path)
