"""The Market-1501 layout: what is read, and every way in which a folder can be wrong."""

import lzma
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from reid_search.data import load_dataset
from reid_search.data.market1501.config import MarketConfig
from reid_search.data.market_layout import FOLDERS, fingerprint, list_images, unused_files
from reid_search.errors import DataError

NAMES = Path(__file__).with_name("names")


@pytest.fixture(scope="module")
def true_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The true file names of Market-1501, each a link to one small image."""
    root = tmp_path_factory.mktemp("Market-1501-v15.09.15")
    image = root / "image.jpg"
    Image.new("RGB", (1, 2)).save(image)
    for table, folder in FOLDERS.items():
        (root / folder).mkdir()
        for name in lzma.decompress((NAMES / f"market1501_{table}.txt.xz").read_bytes()).decode().split():
            os.link(image, root / folder / name)
    return root


def _config(root: Path | None) -> MarketConfig:
    return MarketConfig(name="market1501", root=root)


def test_tables_hold_identities_and_cameras_of_the_names(market: Path, tmp_path: Path) -> None:
    dataset = load_dataset(_config(market), tmp_path)
    assert len(dataset.train) == 16
    assert sorted(set(dataset.train["identity"])) == [2, 7, 10, 11]
    assert dataset.query[["identity", "camera"]].values.tolist() == [[1, 1], [5, 1]]
    assert sorted(dataset.gallery["identity"]) == [-1, 0, 1, 1, 5, 5]
    assert dataset.fingerprint == _config(market).fingerprint()


def test_the_true_data_set_has_its_published_counts(true_names: Path, tmp_path: Path) -> None:
    """Zheng et al. 2015; 2,798 images of the background and 3,819 of junk are in the gallery's number."""
    dataset = load_dataset(_config(true_names), tmp_path)
    people = {name: table["identity"][table["identity"] > 0] for name, table in dataset.tables.items()}
    assert {name: len(table) for name, table in dataset.tables.items()} == {
        "train": 12936,
        "query": 3368,
        "gallery": 19732,
    }
    assert {name: found.nunique() for name, found in people.items()} == {"train": 751, "query": 750, "gallery": 750}
    assert (dataset.gallery["identity"] == 0).sum() == 2798
    assert (dataset.gallery["identity"] == -1).sum() == 3819
    assert all(sorted(set(table["camera"])) == [1, 2, 3, 4, 5, 6] for table in dataset.tables.values())
    assert not set(people["train"]) & set(people["query"])
    assert set(people["query"]) == set(people["gallery"])
    doubled = [sum(str(path).endswith(".jpg.jpg") for path in table["path"]) for table in dataset.tables.values()]
    assert doubled == [0, 6, 18]
    assert unused_files(true_names) == {}


@pytest.mark.parametrize("suffix", [".JPG", ".jpeg", ".JPEG", ".jpg.jpg"])
def test_images_have_one_of_several_suffixes(market: Path, suffix: str) -> None:
    before = len(list_images(market)["query"])
    shutil.copy(market / "query/0001_c1s1_000000_00.jpg", market / f"query/0001_c2s1_000009_00{suffix}")
    assert len(list_images(market)["query"]) == before + 1


def test_what_is_not_used_is_said_by_reason(market: Path) -> None:
    assert unused_files(market) == {}
    before = fingerprint(list_images(market), {})
    for name in ("query/.DS_Store", "query/._0001_c1s1_000000_00.jpg", "bounding_box_test/Thumbs.db"):
        (market / name).write_bytes(b"no image")
    assert fingerprint(list_images(market), {}) == before
    shutil.copy(market / "bounding_box_test/-1_c2s1_000003_01.jpg", market / "bounding_box_train")
    assert unused_files(market) == {
        "hidden files": ["query/.DS_Store", "query/._0001_c1s1_000000_00.jpg"],
        "other files": ["bounding_box_test/Thumbs.db"],
        "junk and distractors in training": ["bounding_box_train/-1_c2s1_000003_01.jpg"],
    }


def test_the_name_of_the_data_set_s_readme_is_parsed(market: Path) -> None:
    (market / "query/0002_c1s1_000451_03.jpg").write_bytes((market / "query/0001_c1s1_000000_00.jpg").read_bytes())
    listed = {image.path.name: image for image in list_images(market)["query"]}
    image = listed["0002_c1s1_000451_03.jpg"]
    assert (image.identity, image.camera) == (2, 1)


def test_junk_and_distractors_are_no_training_images_and_other_files_do_not_count(market: Path) -> None:
    shutil.copy(market / "bounding_box_test/-1_c2s1_000003_01.jpg", market / "bounding_box_train")
    shutil.copy(market / "bounding_box_test/0000_c1s1_000002_01.jpg", market / "bounding_box_train")
    (market / "bounding_box_test/Thumbs.db").write_bytes(b"x")
    images = list_images(market)
    assert {image.identity for image in images["train"]} == {2, 7, 10, 11}
    assert len(images["gallery"]) == 6


def test_fingerprint_depends_on_names_and_sizes_and_not_on_the_place(market: Path, tmp_path: Path) -> None:
    before = fingerprint(list_images(market), {})
    moved = tmp_path / "elsewhere"
    shutil.copytree(market, moved)
    assert fingerprint(list_images(moved), {}) == before
    shutil.copy(market / "query/0001_c1s1_000000_00.jpg", moved / "query/0001_c2s1_000000_00.jpg")
    assert fingerprint(list_images(moved), {}) != before


@pytest.mark.parametrize(
    ("breakage", "message"),
    [
        (lambda root: shutil.rmtree(root), "no such folder"),
        (lambda root: shutil.rmtree(root / "query"), "query missing; found bounding_box_test, bounding_box_train"),
        (lambda root: [shutil.rmtree(path) for path in root.iterdir()], "is empty; expected bounding_box_train"),
        (lambda root: [path.unlink() for path in (root / "query").iterdir()], "holds no JPEG files"),
        (lambda root: (root / "query/face.jpg").write_bytes(b""), "not of the Market-1501 layout"),
        (lambda root: (root / "query/0000_c1s1_000001_01.jpg").write_bytes(b""), "identity 0 as a query"),
    ],
)
def test_a_wrong_folder_is_one_clear_error(market: Path, breakage, message: str) -> None:
    breakage(market)
    with pytest.raises(DataError, match=message) as caught:
        _config(market).fingerprint()
    assert str(market) in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_folder_above_is_told_from_the_data_set(market: Path) -> None:
    with pytest.raises(DataError, match=r"did you mean .*market"):
        _config(market.parent).fingerprint()


def test_a_root_that_was_not_given_names_the_option() -> None:
    with pytest.raises(DataError, match="--data DIR"):
        _config(None).fingerprint()
