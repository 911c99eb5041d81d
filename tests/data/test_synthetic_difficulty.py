"""How hard the synthetic pedestrians are: trivial without nuisances, near chance for raw colours with them."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from reid_search.data.synthetic.config import Nuisances
from reid_search.data.synthetic.plan import PlannedImage, plan_images
from reid_search.data.synthetic.presets import Preset
from reid_search.data.synthetic.studio import Studio
from reid_search.evaluation import RankingResult, chance_mean_ap, evaluate_ranking

Floats = npt.NDArray[np.float64]

OFF = Nuisances.model_validate(dict.fromkeys(Nuisances.model_fields, 0.0))
SPLIT = Preset(1, 2, 2, 50, 150, 250, 40, 10)


class Gallery:
    """The test images of a data set, and their labels."""

    def __init__(self, nuisances: Nuisances, seed: int) -> None:
        studio = Studio(seed, nuisances)
        planned = plan_images(SPLIT, seed)
        self.query, self.query_images = self._of("query", planned, studio)
        self.gallery, self.gallery_images = self._of("bounding_box_test", planned, studio)

    @staticmethod
    def _of(folder: str, planned: list[PlannedImage], studio: Studio) -> tuple[list[PlannedImage], Floats]:
        images = [image for image in planned if image.folder == folder]
        return images, np.stack([np.asarray(studio.render(image).reduce(2), np.float64) for image in images])

    @property
    def labels(self) -> dict[str, list[int]]:
        return {
            "query_ids": [image.identity for image in self.query],
            "gallery_ids": [image.identity for image in self.gallery],
            "query_cameras": [image.camera for image in self.query],
            "gallery_cameras": [image.camera for image in self.gallery],
        }

    def ranked_by(self, features) -> RankingResult:
        return evaluate_ranking(
            features(self.query_images), features(self.gallery_images), metric="euclidean", **self.labels
        )


@cache
def gallery_of(nuisances: Nuisances, seed: int) -> Gallery:
    """Render once what several tests look at."""
    return Gallery(nuisances, seed)


def pixels(images: Floats) -> Floats:
    return images.reshape(len(images), -1)


def histogram(images: Floats) -> Floats:
    """Roots of the shares of 512 colours."""
    bins = (images // 32).astype(np.int64) @ np.array([64, 8, 1])
    return np.sqrt([np.bincount(image.ravel(), minlength=512) / image.size for image in bins])


def camera_found(images: Floats, cameras: npt.NDArray[np.int64]) -> float:
    """Share of images whose nearest other image, by mean and spread of colours, is of the same camera."""
    features = np.concatenate([images.mean(axis=(1, 2)), images.std(axis=(1, 2))], axis=1)
    distances = np.linalg.norm(features[:, None] - features[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((cameras[distances.argmin(axis=1)] == cameras).mean())


def test_without_nuisances_the_nearest_image_is_the_same_person() -> None:
    gallery = gallery_of(OFF, 0)
    assert gallery.ranked_by(pixels).cmc[0] >= 0.99


@pytest.mark.parametrize("seed", [0, 1])
def test_with_nuisances_raw_colours_are_near_chance(seed: int) -> None:
    gallery = gallery_of(Nuisances(), seed)
    chance = chance_mean_ap(**gallery.labels)
    assert gallery.ranked_by(pixels).mean_ap <= 3 * chance
    assert gallery.ranked_by(histogram).mean_ap <= 3 * chance


def test_colours_tell_the_camera_rather_than_the_person() -> None:
    gallery = gallery_of(Nuisances(), 0)
    cameras = np.array([image.camera for image in gallery.query])
    assert camera_found(gallery.query_images, cameras) > 0.5
    plain = gallery_of(OFF, 0)
    assert camera_found(plain.query_images, cameras) < 0.3


@pytest.mark.parametrize("name", sorted(Nuisances.model_fields))
def test_each_nuisance_changes_images_and_is_off_at_zero(name: str) -> None:
    planned = [image for image in plan_images(SPLIT, 0) if image.folder == "query"][:12]
    still = [Studio(0, OFF).render(image).tobytes() for image in planned]
    moved = Studio(0, OFF.model_copy(update={name: 1.0}))
    assert sum(moved.render(image).tobytes() != plain for image, plain in zip(planned, still, strict=True)) >= 6


def test_switching_occlusion_off_leaves_images_without_an_occluder_as_they_were() -> None:
    planned = plan_images(SPLIT, 0)[:60]
    some, never = Studio(0, Nuisances(occlusion=0.3)), Studio(0, Nuisances(occlusion=0.0))
    same = sum(some.render(image).tobytes() == never.render(image).tobytes() for image in planned)
    assert 30 <= same <= 54
