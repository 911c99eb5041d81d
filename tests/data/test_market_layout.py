"""The Market-1501 layout: what is read, and every way in which a folder can be wrong."""

import lzma
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from reid_search.data import load_dataset
from reid_search.data.listing import Listing
from reid_search.data.market1501.config import MarketConfig
from reid_search.data.market1501.layout import FOLDERS
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


def _listing(root: Path) -> Listing:
    return _config(root).listing()


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
    assert _listing(true_names).unused == {}


@pytest.mark.parametrize("suffix", [".JPG", ".jpeg", ".JPEG", ".jpg.jpg", ".png", ".PNG", ".tif", ".bmp"])
def test_images_have_one_of_many_suffixes(market: Path, suffix: str) -> None:
    before = len(_listing(market).of("query"))
    shutil.copy(market / "query/0001_c1s1_000000_00.jpg", market / f"query/0001_c2s1_000009_00{suffix}")
    assert len(_listing(market).of("query")) == before + 1


def test_what_is_not_used_is_said_by_reason(market: Path) -> None:
    assert _listing(market).unused == {}
    foreign = ("query/.DS_Store", "query/._0001_c1s1_000000_00.jpg", "bounding_box_test/Thumbs.db", "query/notes.txt")
    for name in foreign:
        (market / name).write_bytes(b"no image")
    shutil.copy(market / "bounding_box_test/-1_c2s1_000003_01.jpg", market / "bounding_box_train")
    assert _listing(market).unused == {
        "junk and distractors in training": ["bounding_box_train/-1_c2s1_000003_01.jpg"],
        "hidden files": ["query/.DS_Store", "query/._0001_c1s1_000000_00.jpg", "bounding_box_test/Thumbs.db"],
        "files that are no images": ["query/notes.txt"],
    }
    facts = _config(market).facts()
    assert facts.unused == {
        "junk and distractors in training": 1,
        "hidden files": 3,
        "files that are no images": 1,
    }
    assert load_dataset(_config(market)).unused == facts.unused


def test_the_name_of_the_data_set_s_readme_is_parsed(market: Path) -> None:
    (market / "query/0002_c1s1_000451_03.jpg").write_bytes((market / "query/0001_c1s1_000000_00.jpg").read_bytes())
    listed = {Path(image.path).name: image for image in _listing(market).of("query")}
    image = listed["0002_c1s1_000451_03.jpg"]
    assert (image.identity, image.camera) == (2, 1)


def test_junk_and_distractors_are_no_training_images_and_other_files_do_not_count(market: Path) -> None:
    shutil.copy(market / "bounding_box_test/-1_c2s1_000003_01.jpg", market / "bounding_box_train")
    shutil.copy(market / "bounding_box_test/0000_c1s1_000002_01.jpg", market / "bounding_box_train")
    (market / "bounding_box_test/Thumbs.db").write_bytes(b"x")
    assert {image.identity for image in _listing(market).of("train")} == {2, 7, 10, 11}
    assert len(_listing(market).of("gallery")) == 6


@pytest.mark.parametrize(
    ("breakage", "message"),
    [
        (lambda root: shutil.rmtree(root), "no such folder"),
        (lambda root: shutil.rmtree(root / "query"), "query missing; found bounding_box_test, bounding_box_train"),
        (lambda root: [shutil.rmtree(path) for path in root.iterdir()], "is empty; expected bounding_box_train"),
        (lambda root: [path.unlink() for path in (root / "query").iterdir()], "holds no images"),
        (lambda root: (root / "query/face.jpg").write_bytes(b""), "not of the form of Market-1501"),
        (
            lambda root: (root / "query/0000_c1s1_000001_01.jpg").write_bytes(b""),
            "identity 0 in query; allowed: 1",
        ),
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
