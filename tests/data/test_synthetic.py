"""Synthetic pedestrians on disk: layout, counts, labels, and that a seed decides every byte."""

import hashlib
import json
import multiprocessing
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from reid_search.data.listing import PARTS, About, ListedImage
from reid_search.data.market1501.layout import FOLDERS, LAYOUT
from reid_search.data.synthetic.config import DRAWN_FROM, Nuisances, SyntheticConfig
from reid_search.data.synthetic.data import folder
from reid_search.data.synthetic.plan import plan_images, spread
from reid_search.data.synthetic.presets import CAMERAS, PRESETS, Preset
from reid_search.data.synthetic.streams import Stream, generator_of
from reid_search.data.synthetic.studio import Studio
from reid_search.data.synthetic.write import write_dataset
from reid_search.errors import StudyError
from reid_search.study import DATASETS, EntryError

TINY = PRESETS["tiny"]


def _config(**settings: object) -> SyntheticConfig:
    return SyntheticConfig.model_validate({"name": "synthetic", "preset": "tiny", **settings})


def _hashes(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(_config(), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def listed(tiny: Path) -> dict[str, list[ListedImage]]:
    listing = LAYOUT.read(tiny, About("synthetic"))
    return {part: listing.of(part) for part in PARTS}


def test_every_file_is_a_jpeg_of_128_by_64_colour_pixels(tiny: Path) -> None:
    paths = sorted(tiny.glob("*/*.jpg"))
    assert len(paths) == TINY.images
    for path in paths:
        with Image.open(path) as image:
            image.load()
            assert (image.format, image.size, image.mode) == ("JPEG", (64, 128), "RGB")


def test_the_layout_holds_as_many_images_as_the_preset_says(listed: dict[str, list[ListedImage]]) -> None:
    assert {table: len(images) for table, images in listed.items()} == {
        "train": TINY.train_images,
        "query": TINY.queries,
        "gallery": TINY.matches + TINY.distractors + TINY.junk,
    }
    gallery = Counter(min(image.identity, 1) for image in listed["gallery"])
    assert gallery == {1: TINY.matches, 0: TINY.distractors, -1: TINY.junk}
    assert {image.camera for images in listed.values() for image in images} == set(range(1, CAMERAS + 1))


def test_nobody_is_both_in_training_and_in_test(listed: dict[str, list[ListedImage]]) -> None:
    train, query = ({image.identity for image in listed[table]} for table in ("train", "query"))
    assert len(train) == TINY.train_identities
    assert len(query) == TINY.test_identities
    assert train.isdisjoint(query)
    assert {image.identity for image in listed["gallery"] if image.identity > 0} == query


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_each_sighting_has_one_query_and_a_match_of_another_camera(name: str) -> None:
    images = plan_images(PRESETS[name], seed=3)
    queries = [(image.identity, image.camera) for image in images if image.folder == "query"]
    gallery = {(image.identity, image.camera) for image in images if image.folder == "bounding_box_test"}
    assert len(set(queries)) == len(queries) == PRESETS[name].queries
    assert set(queries) == {(identity, camera) for identity, camera in gallery if identity > 0}
    assert min(Counter(identity for identity, _ in queries).values()) >= 2


@pytest.mark.parametrize(("name", "cameras", "images"), [("unit", 3, 2), ("ci", 4, 3), ("ablate", 6, 4)])
def test_presets_of_claims_show_everybody_to_every_camera_equally_often(name: str, cameras: int, images: int) -> None:
    planned = [image for image in plan_images(PRESETS[name], seed=0) if image.identity > 0]
    seen = Counter((image.identity, image.camera) for image in planned if image.folder != "bounding_box_train")
    assert set(seen.values()) == {images}
    assert len(seen) == PRESETS[name].test_identities * cameras
    learnt = Counter((image.identity, image.camera) for image in planned if image.folder == "bounding_box_train")
    assert sum(learnt.values()) == PRESETS[name].train_identities * cameras * images


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_names_are_distinct_and_people_have_at_least_two_training_images(name: str) -> None:
    images = plan_images(PRESETS[name], seed=0)
    assert len({image.path for image in images}) == len(images) == PRESETS[name].images
    assert [image.index for image in images] == list(range(len(images)))
    cameras: dict[int, set[int]] = {}
    for image in images:
        if image.folder == FOLDERS["train"]:
            cameras.setdefault(image.identity, set()).add(image.camera)
    assert len(cameras) == PRESETS[name].train_identities
    assert min(len(seen) for seen in cameras.values()) >= 2


def test_market_like_has_the_published_counts_of_market_1501() -> None:
    # Zheng et al., ICCV 2015, and the readme of the data set.
    market = PRESETS["market_like"]
    assert (market.train_identities, market.train_images) == (751, 12_936)
    assert (market.test_identities, market.queries) == (750, 3_368)
    assert (market.gallery, market.distractors, market.junk) == (19_732, 2_798, 3_819)


def test_distractors_are_nobody_who_is_searched_for_and_junk_is() -> None:
    images = plan_images(TINY, seed=0)
    people = {image.subject for image in images if image.identity > 0}
    searched = {image.identity for image in images if image.folder == "query"}
    assert {image.subject for image in images if image.identity == 0}.isdisjoint(people)
    assert {image.subject for image in images if image.identity == -1} <= searched
    assert all(image.framing == "good" for image in images if image.identity > 0)
    assert {image.framing for image in images if image.identity == -1} == {"cut"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(tiny: Path, tmp_path: Path) -> None:
    write_dataset(_config(), tmp_path / "again")
    assert _hashes(tmp_path / "again") == _hashes(tiny)
    few = Preset(2, 4, 4, 2, 4, 4, 1, 1)
    of_seeds = [Studio(seed, Nuisances()).render(plan_images(few, seed)[0]).image.tobytes() for seed in (0, 1, 2)]
    assert len(set(of_seeds)) == 3


def test_an_image_rendered_alone_and_in_another_order_is_the_same(tiny: Path, tmp_path: Path) -> None:
    images = plan_images(TINY, seed=0)
    for image in (images[-1], images[100], images[3]):
        rendering = Studio(0, Nuisances()).render(image)
        rendering.image.save(tmp_path / image.name, quality=rendering.quality)
        assert (tmp_path / image.name).read_bytes() == (tiny / image.path).read_bytes()


def test_the_manifest_says_what_was_drawn(tiny: Path) -> None:
    manifest = json.loads((tiny / "manifest.json").read_text(encoding="utf-8"))
    assert (
        SyntheticConfig.model_validate(
            {
                "name": "synthetic",
                **{key: manifest[key] for key in ("preset", *DRAWN_FROM)},
            }
        )
        == _config()
    )
    assert manifest["counts"] == asdict(TINY)
    assert manifest["fingerprint"] == _config().fingerprint()


def test_the_fingerprint_tells_what_decides_the_images_and_nothing_else() -> None:
    others = [
        _config(),
        _config(preset="small"),
        _config(seed=1),
        _config(nuisances={"light": 0.05}),
        _config(nuisances={"pose": 0}),
        _config(people={"twins": 0.5}),
        _config(people={"fine": 0.5}),
        _config(boxes="labelled"),
        _config(test_cameras="others"),
        _config(people={"texture": 0.5}),
        _config(nuisances={"folds": 0}),
    ]
    assert len({config.fingerprint() for config in others}) == len(others)
    assert _config(image_size=(128, 64), holdout=0.1, split_seed=4).fingerprint() == _config().fingerprint()
    assert _config(nuisances={"light": 1}).fingerprint() == _config(nuisances={"light": 1.0}).fingerprint()
    assert len(bytes.fromhex(_config().fingerprint())) == 8


def _render(cache: Path, barrier, results) -> None:
    from reid_search.data.synthetic import write

    written = write.write_dataset

    def counted(config, root):
        results.put("rendered")
        written(config, root)

    write.write_dataset = counted
    barrier.wait()
    root = folder(_config(), cache)
    results.put(len(list(root.glob("*/*.jpg"))))


def test_eight_processes_that_ask_at_once_render_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(8), context.Queue()
    processes = [context.Process(target=_render, args=(tmp_path, barrier, results)) for _ in range(8)]
    for process in processes:
        process.start()
    found = Counter(results.get(timeout=120) for _ in range(9))
    for process in processes:
        process.join()
    assert found == {"rendered": 1, TINY.images: 8}


def test_an_interrupted_rendering_leaves_nothing_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    render, calls = Studio.render, iter(range(1000))

    def interrupted(studio, planned):
        if next(calls) == 40:
            raise KeyboardInterrupt
        return render(studio, planned)

    with monkeypatch.context() as patch:
        patch.setattr(Studio, "render", interrupted)
        with pytest.raises(KeyboardInterrupt):
            folder(_config(), tmp_path)
    assert not list(tmp_path.rglob("*.jpg"))
    assert next(calls) == 41
    assert _hashes(folder(_config(), tmp_path)) == _hashes(tiny)


def test_a_finished_folder_is_not_rendered_again(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Studio, "render", lambda *_: pytest.fail("rendered again"))
    assert folder(_config(), tiny.parents[1]) == tiny


def test_distractors_and_junk_can_be_left_out_without_touching_another_image() -> None:
    whole = plan_images(TINY, 0)
    few = plan_images(TINY, 0, nuisances=Nuisances(distractors=0.25, junk=0.0))
    assert Counter(image.identity for image in few if image.identity <= 0) == {0: TINY.distractors // 4}
    assert set(few) < set(whole)
    assert [image for image in whole if image.identity > 0] == [image for image in few if image.identity > 0]


@given(bins=st.integers(1, 40), low=st.integers(0, 4), room=st.integers(0, 5), seed=st.integers(0, 99), data=st.data())
def test_counts_are_spread_to_the_exact_sum_within_their_limits(bins, low, room, seed, data) -> None:
    total = data.draw(st.integers(low * bins, (low + room) * bins))
    counts = spread(generator_of(seed, Stream.PLAN), total, bins, low, low + room)
    assert (counts.sum(), len(counts)) == (total, bins)
    assert low <= counts.min() <= counts.max() <= low + room


@pytest.mark.parametrize("total", [3, 21])
def test_counts_that_cannot_be_spread_are_refused(total: int) -> None:
    with pytest.raises(ValueError, match=f"total: {total}; 4 counts of 1 to 5 sum to 4 to 20"):
        spread(generator_of(0, Stream.PLAN), total, 4, 1, 5)


def test_the_data_set_is_found_by_its_name() -> None:
    config = DATASETS.validate({"name": "synthetic", "preset": "tiny"})
    assert config == _config()
    with pytest.raises(StudyError, match="not read from a folder"):
        _config().at(Path("anywhere"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"preset": "tinny"}, "preset"),
        ({"seed": -1}, "seed"),
        ({"nuisances": {"light": 1.5}}, "light"),
        ({"nuisances": {"lite": 0.5}}, "did you mean 'light'"),
        ({"people": {"family_size": 1}}, "family_size"),
        ({"people": {"twin_kind": "permutations"}}, "twin_kind"),
        ({"boxes": "labeled"}, "boxes"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises((ValueError, EntryError), match=said):
        _config(**settings)
