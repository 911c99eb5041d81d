"""How hard the synthetic pedestrians are: trivial without nuisances, near chance for raw colours with them.

The gates are those of benchmarks/people.py, on the data of the studies that ship.
"""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reid_search.data.synthetic.config import Nuisances, People, SyntheticConfig
from reid_search.data.synthetic.plan import plan_images
from reid_search.data.synthetic.presets import Preset
from reid_search.data.synthetic.studio import Studio

Floats = npt.NDArray[np.float64]


def load_benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[2] / f"benchmarks/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OFF = Nuisances.model_validate(dict.fromkeys(Nuisances.model_fields, 0.0))
SPLIT = Preset(1, 2, 2, 50, 150, 250, 40, 10)
FEW = OFF.model_copy(
    update={
        "pose": 0.5,
        "shift": 0.3,
        "scale": 0.3,
        "light": 0.1,
        "noise": 0.2,
        "clutter": 0.3,
        "background_camera": 1.0,
    }
)
GATES = load_benchmark("people")
SHIPPED = GATES.shipped(GATES.ON_A_CPU)
ON_A_GPU = GATES.shipped(GATES.ON_A_GPU)
NEEDS = {
    "occlusion": {"occlusion_area": 0.5},
    "occlusion_area": {"occlusion": 1.0},
    "background_camera": {"clutter": 1.0},
    "background_identity": {"clutter": 1.0},
    "bridge": {"view": 1.0},
    "asymmetry": {"view": 1.0},
}
OF_LABELS = ("distractors", "junk", "mask_noise", "keypoint_noise", "attribute_noise", "identity_noise")


def crowd_of(nuisances: Nuisances, people: People | None = None) -> Any:
    """The test images of few people, in half their size."""
    config = SyntheticConfig(
        name="synthetic", preset="ci", image_size=(64, 32), nuisances=nuisances, people=people or People()
    )
    return GATES.Crowd(config)


def camera_found(images: Floats, cameras: npt.NDArray[np.int64]) -> float:
    """Share of images whose nearest other image, by mean and spread of colours, is of the same camera."""
    features = GATES.moments(images)
    distances = np.linalg.norm(features[:, None] - features[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((cameras[distances.argmin(axis=1)] == cameras).mean())


def test_without_nuisances_the_nearest_image_is_the_same_person() -> None:
    crowd = crowd_of(OFF)
    assert crowd.ranked_by(GATES.pixels(crowd.levels)).cmc[0] >= 0.99


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_raw_colours_are_near_chance_on_the_data_of_every_study_that_ships(name: str) -> None:
    crowd = GATES.Crowd(SHIPPED[name])
    assert crowd.ranked_by(GATES.histogram(crowd.levels)).mean_ap <= 2 * crowd.chance


@pytest.mark.slow  # 5,000 images of 128×64 pixels
def test_raw_colours_are_near_chance_on_the_data_of_a_study_for_a_gpu() -> None:
    crowd = GATES.Crowd(ON_A_GPU["claims_gpu: parts=3 stripes"])
    assert crowd.ranked_by(GATES.histogram(crowd.levels)).mean_ap <= 2 * crowd.chance


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_colours_of_the_whole_cannot_tell_twins_apart_even_where_all_cameras_are_brought_to_one(seed: int) -> None:
    crowd = GATES.Crowd(GATES.people_of(GATES.TWINS).redrawn(seed))
    assert crowd.ranked_by(GATES.histogram(crowd.standardised)).mean_ap <= 2 * crowd.chance


@pytest.mark.timeout(1200)
@pytest.mark.slow  # ten draws of the people and cameras of a study
def test_where_everybody_wears_one_cloth_it_is_worth_nothing_to_know_locations() -> None:
    config = GATES.people_of(GATES.NULL)
    free, aware = np.mean([GATES.gain_of_locations(config.redrawn(seed)) for seed in GATES.DRAWS], axis=0)
    assert free >= 0.15
    assert aware - free <= 0.01


@pytest.mark.timeout(1200)
@pytest.mark.slow  # ten draws of the people and cameras of a study
def test_twins_are_told_apart_by_locations() -> None:
    config = GATES.people_of(GATES.TWINS)
    free, aware = np.mean([GATES.gain_of_locations(config.redrawn(seed)) for seed in GATES.DRAWS], axis=0)
    assert aware - free >= 0.2


@pytest.mark.parametrize("name", [GATES.TWINS, GATES.OWN])
def test_colours_of_the_true_parts_tell_everybody_apart_before_cameras_that_see_alike(name: str) -> None:
    crowd = GATES.Crowd(GATES.without_cameras(GATES.people_of(name)))
    assert crowd.ranked_by(GATES.colours_of_true_parts(crowd.rendered)).cmc[0] >= 0.95


def test_colours_tell_the_camera_rather_than_the_person() -> None:
    seen, plain = crowd_of(Nuisances()), crowd_of(OFF)
    assert camera_found(seen.levels, seen.cameras) > 0.5
    assert camera_found(plain.levels, plain.cameras) < 0.35


def test_nobody_can_be_told_apart_where_nothing_is_their_own() -> None:
    alike = crowd_of(FEW, People(coarse=0.0, layout=0.0, texture=0.0, fine=0.0))
    assert alike.ranked_by(GATES.colours_of_true_parts(alike.rendered)).mean_ap <= 3 * alike.chance


@pytest.mark.parametrize("name", sorted(set(Nuisances.model_fields) - set(OF_LABELS)))
def test_each_nuisance_changes_images_and_is_off_at_zero(name: str) -> None:
    base = OFF.model_copy(update=NEEDS.get(name, {}))
    moved = base.model_copy(update={name: 1.0})
    before, after = _test_images(base), _test_images(moved)
    assert sum(one != other for one, other in zip(before, after, strict=True)) >= len(before) / 4


@pytest.mark.parametrize("name", OF_LABELS)
def test_noise_of_labels_leaves_every_image_as_it_is(name: str) -> None:
    planned = plan_images(SPLIT, 0)[:3]
    plain, noisy = Studio(0, OFF), Studio(0, OFF.model_copy(update={name: 1.0}))
    assert [plain.render(image).image.tobytes() for image in planned] == [
        noisy.render(image).image.tobytes() for image in planned
    ]


def _test_images(nuisances: Nuisances) -> list[bytes]:
    planned = [image for image in plan_images(SPLIT, 0, nuisances=nuisances) if image.folder != "bounding_box_train"]
    studio = Studio(0, nuisances)
    return [studio.render(image).image.tobytes() for image in planned[::12]]


def test_switching_occlusion_off_leaves_images_without_an_occluder_as_they_were() -> None:
    planned = plan_images(SPLIT, 0)[:60]
    some, never = Studio(0, Nuisances(occlusion=0.3)), Studio(0, Nuisances(occlusion=0.0))
    same = sum(some.render(image).image.tobytes() == never.render(image).image.tobytes() for image in planned)
    assert 30 <= same <= 54
