"""What lies beside synthetic images: masks, keypoints, attributes, latents and a manifest, true unless disturbed."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid_search.data.dataset import load_dataset
from reid_search.data.market1501.config import MarketConfig
from reid_search.data.side_cars import side_car_problems
from reid_search.data.synthetic.config import GENERATOR_VERSION, Nuisances, People, SyntheticConfig
from reid_search.data.synthetic.contact_sheet import write_contact_sheet
from reid_search.data.synthetic.people.attributes import attributes_of
from reid_search.data.synthetic.plan import plan_images
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.puppet.masks import disturbed_mask
from reid_search.data.synthetic.studio import Studio
from reid_search.data.synthetic.views.keypoints import ABSENT, COVERED, VISIBLE, disturbed_keypoints
from reid_search.data.synthetic.write import files_of, write_dataset
from reid_search.study.trial.side_cars import ATTRIBUTES, KEYPOINTS

HEAD, UPPER, LOWER, SHOES = 1, 2, 3, 4
OFF = Nuisances.model_validate(dict.fromkeys(Nuisances.model_fields, 0.0))
UNIT = PRESETS["unit"]


def _config(**settings: object) -> SyntheticConfig:
    return SyntheticConfig.model_validate({"name": "synthetic", "preset": "unit", **settings})


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "unit"
    write_dataset(_config(people={"twins": 0.5}), root)
    return root


@pytest.fixture(scope="module")
def stems(unit: Path) -> list[str]:
    return sorted(path.stem for path in unit.glob("*/*.jpg"))


def test_every_image_has_its_side_cars_and_nothing_else_has(unit: Path, stems: list[str]) -> None:
    assert len(set(stems)) == UNIT.images
    for folder, ending in (("masks", "png"), ("keypoints", "json"), ("latents", "json")):
        assert sorted(path.name for path in (unit / folder).iterdir()) == [f"{stem}.{ending}" for stem in stems]


def test_the_readers_of_side_cars_find_nothing_wrong(unit: Path) -> None:
    dataset = load_dataset(MarketConfig(name="market1501", root=unit))
    assert set(dataset.side_cars) == _config().offers == {"maps", "keypoints", "attributes"}
    assert side_car_problems(dataset) == []


def test_masks_are_levels_of_one_channel_and_show_every_part(unit: Path, stems: list[str]) -> None:
    shares = np.zeros(5)
    for stem in stems:
        with Image.open(unit / f"masks/{stem}.png") as mask:
            assert (mask.mode, mask.size) == ("L", (64, 128))
            shares += np.bincount(np.asarray(mask).ravel(), minlength=5)
    assert len(shares) == 5
    assert (shares[1:] / shares.sum() > [0.02, 0.06, 0.06, 0.005]).all()


def test_keypoints_are_51_numbers_within_the_image(unit: Path, stems: list[str]) -> None:
    for stem in stems:
        content = json.loads((unit / f"keypoints/{stem}.json").read_text())
        assert content["image_size"] == [128, 64]
        x, y, seen = np.reshape(content["keypoints"], (17, 3)).T
        assert set(seen.tolist()) <= {ABSENT, COVERED, VISIBLE}
        assert ((x >= -0.5) & (x <= 63.5) & (y >= -0.5) & (y <= 127.5)).all()
        assert not x[seen == ABSENT].any()
        assert not y[seen == ABSENT].any()


def test_visible_keypoints_lie_in_their_parts() -> None:
    parts = {
        "nose eye ear": {HEAD},
        "shoulder elbow wrist": {UPPER},
        "hip": {UPPER, LOWER},
        "knee": {LOWER},
        "ankle": {LOWER, SHOES},
    }
    of_name = {name: parts[kinds] for kinds in parts for name in KEYPOINTS if name.split("_")[-1] in kinds}
    studio, hits = Studio(0, Nuisances(occlusion=0.5)), dict.fromkeys(KEYPOINTS, (0, 0))
    for planned in plan_images(PRESETS["tiny"], 0)[:200]:
        rendering = studio.render(planned)
        for name, (x, y, seen) in zip(KEYPOINTS, rendering.keypoints.tolist(), strict=True):
            if seen == VISIBLE:
                inside = int(rendering.mask[round(y), round(x)] in of_name[name])
                hits[name] = hits[name][0] + inside, hits[name][1] + 1
    for name, (inside, all_seen) in hits.items():
        assert all_seen >= 60, name
        assert inside / all_seen >= 0.95, name


def test_the_left_is_the_persons_own_and_a_face_is_not_seen_from_behind() -> None:
    studio = Studio(0, OFF.model_copy(update={"view": 1.0}))
    left, right = KEYPOINTS.index("left_shoulder"), KEYPOINTS.index("right_shoulder")
    behind = 0
    for planned in plan_images(UNIT, 0)[:100]:
        rendering = studio.render(planned)
        facing = np.cos(rendering.shot.figure.pose.yaw)
        if abs(facing) > 0.3:
            assert (rendering.keypoints[left, 0] > rendering.keypoints[right, 0]) == (facing > 0)
        if facing < -0.3:
            behind += 1
            assert (rendering.keypoints[:3, 2] == COVERED).all()
        if facing > 0.9:
            assert (rendering.keypoints[:3, 2] == VISIBLE).all()
    assert behind > 10


def test_what_stands_in_front_covers_keypoints_and_mask() -> None:
    planned = plan_images(UNIT, 0)[:60]
    free, covered = Studio(0, OFF), Studio(0, OFF.model_copy(update={"occlusion": 1.0, "occlusion_area": 0.5}))
    for image in planned:
        before, after = free.render(image), covered.render(image)
        assert (after.mask > 0).sum() < (before.mask > 0).sum()
        assert set(np.unique(after.mask[before.mask == 0])) <= {0}
        np.testing.assert_array_equal(before.keypoints[:, :2], after.keypoints[:, :2])
        assert (after.keypoints[:, 2] <= before.keypoints[:, 2]).all()


def test_a_mask_and_its_image_come_from_the_same_drawing() -> None:
    studio = Studio(0, OFF)
    without_bag = next(image for image in plan_images(UNIT, 0) if studio.person(image.subject).bag.kind == "none")
    rendering = studio.render(without_bag)
    grey = (np.abs(np.asarray(rendering.image, int) - 128) <= 1).all(axis=2)
    assert (grey == (rendering.mask == 0)).mean() > 0.96


def test_the_table_of_attributes_describes_everybody(unit: Path) -> None:
    with (unit / "attributes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["identity", *ATTRIBUTES]
    studio = Studio(0, Nuisances(), People(twins=0.5))
    people = {
        image.subject: studio.person(image.subject, image.twin)
        for image in plan_images(UNIT, 0, People(twins=0.5))
        if image.identity > 0
    }
    assert len(people) == UNIT.train_identities + UNIT.test_identities
    assert {int(row.pop("identity")): {name: int(value) for name, value in row.items()} for row in rows} == {
        subject: attributes_of(person) for subject, person in people.items()
    }


def test_the_manifest_holds_the_hash_of_every_file(unit: Path) -> None:
    manifest = json.loads((unit / "manifest.json").read_text())
    assert manifest["generator_version"] == GENERATOR_VERSION
    assert manifest["images"] == UNIT.images
    assert manifest["sha256"] == {
        str(path.relative_to(unit)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in unit.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def test_latents_tell_from_what_an_image_is_drawn_again(unit: Path) -> None:
    config = _config(people={"twins": 0.5})
    studio = Studio(config.seed, config.nuisances, config.people)
    planned = {image.index: image for image in plan_images(UNIT, config.seed, config.people, config.nuisances)}
    families = set()
    for path in sorted((unit / "latents").iterdir())[::10]:
        latents = json.loads(path.read_text())
        image = planned[latents["index"]]
        assert path.stem == image.stem
        assert {name: latents[name] for name in ("identity", "subject", "camera", "sequence", "frame")} == {
            name: getattr(image, name) for name in ("identity", "subject", "camera", "sequence", "frame")
        }
        for name, content in files_of(config, studio, image):
            assert (unit / name).read_bytes() == content
        if latents["family"] is not None:
            families.add((latents["family"], latents["twin"]))
            assert latents["person"]["upper"]["pattern"] == "two_tone"
        assert (latents["yaw"] is None) == (latents["framing"] == "empty")
        assert set(latents["box"]) == {"left", "top", "scale"}
        assert latents["light"]["exposure"] > 0
    assert families


def test_wrong_labels_are_exchanged_and_latents_keep_the_true_subject(tmp_path: Path) -> None:
    true = plan_images(UNIT, 0)
    noisy = plan_images(UNIT, 0, nuisances=Nuisances(identity_noise=0.5))
    moved = [(one, other) for one, other in zip(true, noisy, strict=True) if one.identity != other.identity]
    assert {image.folder for pair in moved for image in pair} == {"bounding_box_train"}
    assert len(moved) == pytest.approx(0.5 * UNIT.train_images, abs=0.1 * UNIT.train_images)
    assert sorted(image.identity for image in true) == sorted(image.identity for image in noisy)
    assert all(one.subject == other.subject for one, other in zip(true, noisy, strict=True))
    config = _config(nuisances={"identity_noise": 0.5})
    files = dict(files_of(config, Studio(0, config.nuisances), moved[0][1]))
    latents = json.loads(files[f"latents/{moved[0][1].stem}.json"])
    assert (latents["identity"], latents["subject"]) == (moved[0][1].identity, moved[0][0].identity)


def test_noise_of_a_mask_is_none_at_zero_and_grows() -> None:
    studio = Studio(0, OFF)
    masks = [studio.render(image).mask for image in plan_images(UNIT, 0)[:30]]
    agreement = [
        np.mean([(disturbed_mask(mask, strength, np.random.default_rng(7)) == mask)[mask > 0].mean() for mask in masks])
        for strength in (0.0, 0.3, 0.6, 1.0)
    ]
    assert agreement[0] == 1.0
    assert agreement == sorted(agreement, reverse=True)
    assert agreement[-1] < 0.75
    assert {disturbed_mask(mask, 1.0, np.random.default_rng(7)).max() for mask in masks} <= {1, 2, 3, 4}


def test_noise_of_keypoints_displaces_and_misses_them() -> None:
    planned = next(image for image in plan_images(UNIT, 0) if image.framing == "good")
    true = Studio(0, OFF).render(planned).keypoints
    np.testing.assert_array_equal(disturbed_keypoints(true, 0.0, np.random.default_rng(1)), true)
    noisy = np.stack([disturbed_keypoints(true, 0.5, np.random.default_rng(seed)) for seed in range(200)])
    missed = noisy[..., 2] == ABSENT
    assert missed.mean() == pytest.approx(0.15, abs=0.05)
    assert not noisy[missed].any()
    right_way = noisy[noisy[:, 5, 0] > noisy[:, 6, 0]]
    off = np.linalg.norm(right_way[..., :2] - true[:, :2], axis=2)[right_way[..., 2] > 0]
    assert np.median(off) == pytest.approx(3.0 * np.sqrt(2 * np.log(2)), rel=0.15)  # median of a Rayleigh distribution


def test_noise_of_labels_reaches_the_files_and_no_image(unit: Path, tmp_path: Path) -> None:
    noise = {"mask_noise": 0.5, "keypoint_noise": 0.5, "attribute_noise": 0.5}
    write_dataset(_config(people={"twins": 0.5}, nuisances=noise), tmp_path / "noisy")
    before, after = (json.loads((root / "manifest.json").read_text())["sha256"] for root in (unit, tmp_path / "noisy"))
    same = {name.split("/")[0] for name in before if before[name] == after[name]}
    assert same == {"bounding_box_train", "query", "bounding_box_test", "latents"} | (same & {"masks", "keypoints"})
    changed = {name.split("/")[0] for name in before if before[name] != after[name]}
    assert changed == {"masks", "keypoints", "attributes.csv"}
    dataset = load_dataset(MarketConfig(name="market1501", root=tmp_path / "noisy"))
    assert side_car_problems(dataset) == []


def test_a_contact_sheet_shows_eight_people_before_each_camera_twice(unit: Path, tmp_path: Path) -> None:
    shutil.copytree(unit, tmp_path / "data")
    with Image.open(write_contact_sheet(tmp_path / "data")) as sheet:
        assert sheet.mode == "RGB"
        assert sheet.width > 2 * UNIT.cameras * 96
        assert sheet.height > 8 * 192
        assert len(sheet.getcolors(1 << 24) or ()) > 1000
