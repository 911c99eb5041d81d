"""The fingerprint of a data set: what else than edits changes it, and what has none.

`test_inputs_are_their_content.py` edits, moves and copies every kind of input.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid_search.data import open_trial_data
from reid_search.data.boxes import Box
from reid_search.data.listing import About, Counts, Listing
from reid_search.data.market1501.config import MarketConfig
from reid_search.errors import DataError
from reid_search.study import load_study

LONG_AGO = 10**9


@pytest.fixture
def accompanied(market: Path) -> Path:
    """A data set with a map and keypoints for every image, attributes, and nothing younger than 2001."""
    images = sorted(market.glob("*/*.jpg"))
    for folder in ("masks", "keypoints"):
        (market / folder).mkdir()
    for image in images:
        Image.fromarray(np.zeros((16, 8), np.uint8)).save(market / f"masks/{image.stem}.png")
        (market / f"keypoints/{image.stem}.json").write_text(json.dumps({"keypoints": [0] * 51}))
    (market / "attributes.csv").write_text("identity,gender\n1,0\n")
    for path in market.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return market


def _fingerprint(root: Path, **more: object) -> str:
    return MarketConfig.model_validate({"name": "market1501", "root": root, **more}).fingerprint()


def _edit(path: Path) -> None:
    """Change one byte, and set the time back to what it was."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.mark.parametrize(
    "change",
    [{"identity": 2}, {"camera": 2}, {"camera": None}, {"part": "query"}, {"clothes": 1}, {"box": Box(0, 0, 4, 4)}],
)
def test_what_an_image_is_of_is_part_of_it(market: Path, change: dict[str, object]) -> None:
    def fingerprint(**over: object) -> str:
        listing = Listing(market, About("any"))
        known = {"part": "gallery", "identity": 1, "camera": 1, "box": None}
        columns = {**known, **over}
        labels = [columns.pop(name) for name in ("part", "identity", "camera", "box")]
        listing.use(market / "query/0001_c1s1_000000_00.jpg", *labels, **columns)
        return listing.fingerprint()

    assert fingerprint(**change) != fingerprint()


def test_a_folder_that_may_only_be_read_is_read(accompanied: Path) -> None:
    before = _fingerprint(accompanied)
    folders = [accompanied, *(path for path in accompanied.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert _fingerprint(accompanied) == before
    finally:
        for folder in folders:
            folder.chmod(0o755)


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link_to(target: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return make


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_fifo, "a FIFO, not a file"),
        (_link_to("nowhere.jpg"), "a link to nothing"),
        (_link_to("0002_c1s1_000000_01.jpg"), "a link that leads back to itself"),
    ],
)
def test_what_is_no_file_is_one_message(market: Path, damage: Callable[[Path], None], said: str) -> None:
    victim = market / "bounding_box_train/0002_c1s1_000000_01.jpg"
    damage(victim)
    with pytest.raises(DataError, match=said) as caught:
        _fingerprint(market)
    assert str(caught.value).startswith(str(victim))
    assert "--skip-broken" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_linked_into_itself_is_one_message(market: Path) -> None:
    (market / "query/again").symlink_to("..")
    listing = Listing(market, About("deep"))
    with pytest.raises(DataError, match="query/again: a link that leads back to"):
        list(listing.image_files(market, deep=True))


def test_images_in_folders_are_found_where_folders_belong(market: Path) -> None:
    (market / "query/inner/.hidden").mkdir(parents=True)
    for name in ("inner/a.JPG", "inner/.hidden/b.jpg"):
        shutil.copy(market / "query/0001_c1s1_000000_00.jpg", market / "query" / name)
    listing = Listing(market, About("deep"))
    assert [path.name for path in listing.image_files(market / "query", deep=True)][-1] == "a.JPG"
    assert listing.unused == {"hidden files": ["query/inner/.hidden"]}
    assert not [path for path in Listing(market, About("flat")).image_files(market / "query") if path.name == "a.JPG"]


def test_skipped_images_are_counted_and_part_of_it(market: Path) -> None:
    whole = _fingerprint(market)
    assert _fingerprint(market, skip_broken=True) == whole
    cut, gone = market / "query/0001_c1s1_000000_00.jpg", market / "bounding_box_train/0002_c1s1_000000_01.jpg"
    cut.write_bytes(cut.read_bytes()[:100])
    gone.unlink()
    gone.symlink_to("nowhere.jpg")
    config = MarketConfig(name="market1501", root=market, skip_broken=True)
    facts = config.facts()
    assert facts.unused == {"unreadable images": 2}
    assert config.listing().unused["unreadable images"] == [
        "bounding_box_train/0002_c1s1_000000_01.jpg",
        "query/0001_c1s1_000000_00.jpg",
    ]
    cut.unlink()
    assert len({whole, facts.fingerprint, config.fingerprint()}) == 3


def test_counts_other_than_the_published_ones_are_named(market: Path) -> None:
    published = {"train": Counts(17, 4), "query": Counts(2, 2), "gallery": Counts(6, 1)}
    listing = MarketConfig(name="market1501", root=market).listing()
    listing.about = About("Market-1501", published)
    assert listing.deviations() == [
        "Market-1501, train: 16 images of 4 identities, where 17 of 4 are published (images: 1 fewer)",
        "Market-1501, gallery: 6 images of 2 identities, where 6 of 1 are published (identities: 1 more)",
    ]


STUDY = """\
name: parsers
base:
  data: {{name: market1501, root: {root}, image_size: [32, 16], maps: {root}/masks}}
  model: {{architecture: spreid, backbone: resnet10_thin}}
  training: {{images: 8, batch: {{ids: 2, per_id: 2}}}}
axes: {{data.maps: {{choice: {{one: {root}/masks, other: {other}}}}}}}
phases: [{{kind: ablate, seeds: 1}}]
"""


def test_maps_of_two_parsers_are_two_arms_with_different_keys(accompanied: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(accompanied / "masks", other)
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.format(root=accompanied, other=other))
    same = load_study(study).plan().trials
    assert [trial.arm.name for trial in same] == ["baseline", "data.maps=other"]
    assert same[0].key == same[1].key  # the same content is one training
    _edit(sorted(other.iterdir())[0])
    first, second = load_study(study).plan().trials
    assert first.key == same[0].key != second.key


def test_a_plan_says_what_is_not_used(accompanied: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    shutil.copytree(accompanied / "masks", tmp_path / "other")
    study.write_text(STUDY.format(root=accompanied, other=tmp_path / "other"))
    (deviation,) = load_study(study).plan().data
    assert "where 12,936 of 751 are published" in deviation
    shutil.copy(accompanied / "bounding_box_test/-1_c2s1_000003_01.jpg", accompanied / "bounding_box_train")
    (accompanied / "query/Thumbs.db").write_bytes(b"x")
    said = "data: not used: junk and distractors in training (1), hidden files (1)"
    plan = load_study(study).plan()
    (note,) = plan.data
    assert note.startswith(said)
    assert note in plan.warnings


def test_a_photo_that_is_trained_on_and_tested_under_another_identity_is_counted(
    accompanied: Path, tmp_path: Path
) -> None:
    """As among several data sets, where it is refused; a data set as it was published is not to be taken apart."""
    study = tmp_path / "study.yaml"
    shutil.copytree(accompanied / "masks", tmp_path / "other")
    study.write_text(STUDY.format(root=accompanied, other=tmp_path / "other"))
    said = "images of training are in the test too, byte for byte: "
    assert said not in load_study(study).plan().data[0]
    trained, query = (sorted((accompanied / name).iterdir())[0] for name in ("bounding_box_train", "query"))
    shutil.copy(trained, query)
    (note,) = load_study(study).plan().data
    same = [path for path in trained.parent.iterdir() if path.read_bytes() == trained.read_bytes()]
    assert f"; {len(same)} of 16 {said}bounding_box_train/{trained.name} as query/{query.name}" in note
    assert "in the test too" in str(open_trial_data(load_study(study).plan().arms[0].config, 1).facts)


def test_photos_of_two_people_within_training_or_the_test_are_counted(market: Path) -> None:
    for source, copy in (
        ("bounding_box_train/0002_c1s1_000000_01.jpg", "bounding_box_train/0007_c1s1_000009_01.jpg"),
        ("query/0001_c1s1_000000_00.jpg", "query/0005_c1s1_000009_00.jpg"),
        ("bounding_box_test/0000_c1s1_000002_01.jpg", "bounding_box_test/0005_c1s1_000009_01.jpg"),
        ("bounding_box_test/-1_c2s1_000003_01.jpg", "bounding_box_test/0001_c1s1_000008_01.jpg"),  # junk is nobody
    ):
        shutil.copy(market / source, market / copy)
    config = MarketConfig(name="market1501", root=market)
    assert [note for note in config.facts().notes if "two identities" in note] == [
        "1 photo is of two identities in training, byte for byte: bounding_box_train/0002_c1s1_000000_01.jpg of 2 and "
        "bounding_box_train/0007_c1s1_000009_01.jpg of 7",
        "2 photos are of two identities in the test, byte for byte: bounding_box_test/0000_c1s1_000002_01.jpg of "
        "nobody and bounding_box_test/0005_c1s1_000009_01.jpg of 5",
    ]


def test_a_plan_refuses_images_that_cannot_be_decoded_and_says_how_many(accompanied: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    shutil.copytree(accompanied / "masks", tmp_path / "other")
    study.write_text(STUDY.format(root=accompanied, other=tmp_path / "other"))
    broken = sorted((accompanied / "bounding_box_train").iterdir())[:3]
    for number, path in enumerate(broken):
        path.write_bytes(path.read_bytes()[: -20 - number])
    said = rf"^{broken[0]}: not a readable image \(.*\) \(and 2 more files that cannot be read\); .*--skip-broken, "
    with pytest.raises(DataError, match=said):
        load_study(study).plan()
    (note,) = load_study(study, ["data.skip_broken=true"]).plan().data
    assert note.startswith("data: not used: unreadable images (3)")


def test_a_plan_lists_a_folder_once(accompanied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its arms, phases and holdouts share what was read."""
    shutil.copytree(accompanied / "masks", tmp_path / "other")
    study = tmp_path / "study.yaml"
    phases = "\n  - {kind: search, trials: 1}\n  - {kind: ablate, seeds: 1}"
    text = STUDY.format(root=accompanied, other=tmp_path / "other").replace("[{kind: ablate, seeds: 1}]", phases)
    study.write_text(text.replace(", maps: ", ", holdout: 0.5, maps: "))
    roots: list[Path] = []
    read = MarketConfig.read
    monkeypatch.setattr(MarketConfig, "read", lambda self, root: [roots.append(root), read(self, root)][1])
    plan = load_study(study).plan()
    assert len(plan.phases[-1].arms) == 2
    assert len(roots) == 2, "once for each place of maps"
