"""Random changes to images, against loops over single pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_search.data.augment import MEAN_PIXEL, Transforms, auto_augmented, draw_transforms, transform
from reid_search.data.samples import Samples
from reid_search.study.trial.side_cars import KEYPOINTS, MIRRORED_KEYPOINTS
from reid_search.study.trial.training import AugmentConfig

SIZE = (24, 12)


def _images(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *SIZE, 3), dtype=np.uint8)


def _slow(image: np.ndarray, flip: bool, shift: np.ndarray, erased: np.ndarray) -> np.ndarray:
    height, width, _ = image.shape
    result = np.zeros_like(image)
    top, left, high, wide = erased
    for row in range(height):
        for column in range(width):
            if top <= row < top + high and left <= column < left + wide:
                result[row, column] = MEAN_PIXEL
                continue
            y, x = row - shift[0], column - shift[1]
            if 0 <= y < height and 0 <= x < width:
                result[row, column] = image[y, width - 1 - x if flip else x]
    return result


@given(seed=st.integers(0, 50))
def test_transformed_images_equal_a_loop_over_pixels(seed: int) -> None:
    config = AugmentConfig(flip=0.5, pad_crop=0.2, erase=0.5)
    images = _images()
    transforms = draw_transforms(len(images), SIZE, config, np.random.default_rng(seed))
    expected = [
        _slow(image, flip, shift, erased)
        for image, flip, shift, erased in zip(images, transforms.flip, transforms.shift, transforms.erased, strict=True)
    ]
    before = images.copy()
    np.testing.assert_array_equal(transform(Samples(images), transforms).pixels, expected)
    np.testing.assert_array_equal(images, before)


def test_everything_off_changes_nothing() -> None:
    config = AugmentConfig(flip=0.0, pad_crop=0.0, erase=0.0)
    transforms = draw_transforms(5, SIZE, config, np.random.default_rng(0))
    np.testing.assert_array_equal(transform(Samples(_images()), transforms).pixels, _images())


def test_probabilities_and_ranges_hold_over_many_images() -> None:
    config = AugmentConfig(flip=0.3, pad_crop=0.1, erase=0.6)
    drawn = draw_transforms(20_000, (128, 64), config, np.random.default_rng(1))
    assert drawn.flip.mean() == pytest.approx(0.3, abs=0.02)
    assert (drawn.shift.min(axis=0).tolist(), drawn.shift.max(axis=0).tolist()) == ([-13, -6], [13, 6])
    top, left, height, width = drawn.erased[drawn.erased[:, 2] > 0].T
    assert (drawn.erased[:, 2] > 0).mean() == pytest.approx(0.6, abs=0.02)
    share = height * width / (128 * 64)
    assert 0.015 < share.min() < 0.03
    assert 0.37 < share.max() < 0.42
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + height <= 128).all()
    assert (left + width <= 64).all()
    assert (top + height).max() == 128
    assert (left + width).max() == 64


def test_one_image_s_draws_do_not_depend_on_what_is_switched_on() -> None:
    on = draw_transforms(50, SIZE, AugmentConfig(flip=0.5, pad_crop=0.1, erase=1.0), np.random.default_rng(5))
    off = draw_transforms(50, SIZE, AugmentConfig(flip=0.5, pad_crop=0.1, erase=0.0), np.random.default_rng(5))
    np.testing.assert_array_equal(on.flip, off.flip)
    np.testing.assert_array_equal(on.shift, off.shift)


def test_transforms_are_plain_data() -> None:
    one = Transforms(np.array([True]), np.array([[1, 0]]), np.array([[0, 0, 2, 2]]))
    image = transform(Samples(_images(1)), one).pixels[0]
    np.testing.assert_array_equal(image[0, 2:], np.zeros((10, 3)))
    np.testing.assert_array_equal(image[:2, :2], np.full((2, 2, 3), MEAN_PIXEL))


@given(seed=st.integers(0, 50))
def test_maps_and_keypoints_move_with_the_pixels(seed: int) -> None:
    """A map that marks one pixel of each part, and keypoints on coloured pixels, are found where the pixels went."""
    generator = np.random.default_rng(seed)
    images = np.zeros((6, *SIZE, 3), np.uint8)
    places = np.stack([generator.permutation(SIZE[0] * SIZE[1])[:17] for _ in range(6)])
    y, x = places // SIZE[1], places % SIZE[1]
    keypoints = np.stack([x, y, np.full_like(x, 2)], axis=2).astype(np.float32)
    maps = np.zeros((6, 4, *SIZE), np.uint8)
    for image in range(6):
        images[image, y[image], x[image], 0] = np.arange(1, 18)
        maps[image, np.arange(17) % 4, y[image], x[image]] = np.arange(1, 18)
    transforms = draw_transforms(6, SIZE, AugmentConfig(flip=0.5, pad_crop=0.2, erase=0.5), generator)
    changed = transform(Samples(images, maps, keypoints), transforms)
    for image in range(6):
        found = changed.pixels[image, ..., 0].astype(int) * (changed.pixels[image, ..., 1] == 0)
        np.testing.assert_array_equal(changed.maps[image].sum(axis=0), found)
        order = MIRRORED_KEYPOINTS if transforms.flip[image] else range(17)
        for number, (column, row, visibility) in zip(order, changed.keypoints[image].astype(int), strict=True):
            if visibility == 2:
                assert changed.pixels[image, row, column, 0] == number + 1
            else:
                assert number + 1 not in found
                assert visibility == 1 or (column, row) == (0, 0)


def test_left_and_right_keypoints_change_sides_twice_and_are_back() -> None:
    assert [MIRRORED_KEYPOINTS[place] for place in MIRRORED_KEYPOINTS] == list(range(17))
    pairs = {(KEYPOINTS[a], KEYPOINTS[b]) for a, b in enumerate(MIRRORED_KEYPOINTS) if a != b}
    assert all({one, other} == {f"left_{one.split('_')[1]}", f"right_{one.split('_')[1]}"} for one, other in pairs)


def test_auto_augment_changes_its_share_of_the_images_the_same_way_each_time() -> None:
    images = np.random.default_rng(3).integers(0, 256, (200, *SIZE, 3), dtype=np.uint8)
    before = images.copy()
    config = AugmentConfig(auto=0.5)
    first, second = (auto_augmented(images, config, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(images, before)
    changed = (first != images).any(axis=(1, 2, 3)).mean()
    assert 0.3 < changed <= 0.58, "some changes of the policy leave an image as it is"
    assert auto_augmented(images, AugmentConfig(), np.random.default_rng(1)) is images
