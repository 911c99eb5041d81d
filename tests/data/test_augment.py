"""Random changes to images, against loops over single pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_search.data.augment import MEAN_PIXEL, Transforms, auto_augmented, draw_transforms, filling, transform
from reid_search.data.samples import Samples
from reid_search.study.trial.normalization import IMAGENET
from reid_search.study.trial.side_cars import KEYPOINTS, MIRRORED_KEYPOINTS
from reid_search.study.trial.training import AugmentConfig, ErasingConfig

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


def test_padding_in_pixels_is_the_same_on_all_sides() -> None:
    drawn = draw_transforms(20_000, (128, 64), AugmentConfig(pad=10), np.random.default_rng(1))
    assert (drawn.shift.min(axis=0).tolist(), drawn.shift.max(axis=0).tolist()) == ([-10, -10], [10, 10])


@pytest.mark.parametrize("law", ["log", "uniform"])
def test_erased_rectangles_have_the_area_and_aspect_that_are_asked_for(law: str) -> None:
    """In an image so large that every rectangle fits, the mean aspect is that of the law."""
    erasing = ErasingConfig(area=(0.05, 0.1), aspect=(0.5, 2.0), aspect_law=law)  # type: ignore[arg-type]
    config = AugmentConfig(erase=1.0, erasing=erasing)
    height, width = draw_transforms(20_000, (2000, 2000), config, np.random.default_rng(2)).erased[:, 2:].T
    area, aspect = height * width / 2000**2, height / width
    assert (area.min(), area.max()) == (pytest.approx(0.05, abs=1e-3), pytest.approx(0.1, abs=1e-3))
    assert area.mean() == pytest.approx(0.075, abs=1e-3)
    assert (aspect.min(), aspect.max()) == (pytest.approx(0.5, abs=1e-2), pytest.approx(2.0, abs=1e-2))
    expected = 1.25 if law == "uniform" else 1.5 / np.log(4)  # the mean of each law between its ends
    assert aspect.mean() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("fill", "pixel"), [("mean", MEAN_PIXEL), ("black", (0, 0, 0)), ((9, 8, 7), (9, 8, 7))])
def test_an_erased_rectangle_shows_one_pixel(fill: object, pixel: tuple[int, int, int]) -> None:
    erased = Transforms(np.zeros(5, np.bool_), np.zeros((5, 2), np.int64), np.tile([2, 3, 4, 5], (5, 1)))
    config = ErasingConfig.model_validate({"fill": fill})
    found = transform(Samples(_images()), erased, filling(erased, config, IMAGENET, np.random.default_rng(0))).pixels
    assert (found[:, 2:6, 3:8] == pixel).all()
    np.testing.assert_array_equal(found[:, 6:], _images()[:, 6:])


def test_noise_has_the_mean_and_deviation_of_the_normalisation() -> None:
    size, area = (128, 64), [0, 0, 128, 64]
    erased = Transforms(np.zeros(4, np.bool_), np.zeros((4, 2), np.int64), np.tile(area, (4, 1)))
    fill = filling(erased, ErasingConfig(fill="noise"), IMAGENET, np.random.default_rng(0))
    found = transform(Samples(np.zeros((4, *size, 3), np.uint8)), erased, fill).pixels / 255
    assert found.mean(axis=(0, 1, 2)) == pytest.approx(IMAGENET.mean, abs=0.01)
    assert found.std(axis=(0, 1, 2)) == pytest.approx(IMAGENET.std, abs=0.01)
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"pad": 4, "pad_crop": 0.1}, "4 with pad_crop 0.1; allowed: one of the two"),
        ({"erasing": {"area": [0.4, 0.02]}}, "the first is the smallest"),
        ({"erasing": {"aspect": [0, 1]}}, "greater than or equal to 0.001"),
        ({"erasing": {"fill": "grey"}}, "mean"),
    ],
)
def test_impossible_changes_are_refused(content: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AugmentConfig.model_validate(content)


def test_a_crop_is_a_window_of_the_image_and_of_its_side_cars() -> None:
    """Its places are uniform (Zheng et al.'s code crops 224² of 256²); keypoints outside are absent."""
    config = AugmentConfig(flip=0.5, crop=(16, 8))
    images = _images(300)
    maps = np.random.default_rng(1).integers(0, 256, (300, 4, *SIZE), dtype=np.uint8)
    keypoints = np.random.default_rng(2).uniform(0, 12, (300, len(KEYPOINTS), 3)).astype(np.float32)
    keypoints[..., 2] = 2
    drawn = draw_transforms(300, SIZE, config, np.random.default_rng(3))
    found = transform(Samples(images, maps, keypoints), drawn)
    assert found.pixels.shape == (300, 16, 8, 3)
    places = set()
    for index, (flip, shift) in enumerate(zip(drawn.flip, -drawn.shift, strict=True)):
        mirrored = slice(None, None, -1 if flip else 1)
        window = (slice(shift[0], shift[0] + 16), slice(shift[1], shift[1] + 8))
        np.testing.assert_array_equal(found.pixels[index], images[index][:, mirrored][window])
        np.testing.assert_array_equal(found.maps[index, 2], maps[index, 2][:, mirrored][window])
        points = keypoints[index][list(MIRRORED_KEYPOINTS)] if flip else keypoints[index]
        x = (SIZE[1] - 1 - points[:, 0] if flip else points[:, 0]) - shift[1]
        inside = (x >= -0.5) & (x <= 7.5) & (points[:, 1] - shift[0] >= -0.5) & (points[:, 1] - shift[0] <= 15.5)
        np.testing.assert_array_equal(found.keypoints[index, :, 2] > 0, inside)
        np.testing.assert_allclose(found.keypoints[index, inside, 0], x[inside], rtol=1e-5, atol=1e-5)
        places.add(tuple(shift.tolist()))
    assert len(places) == 9 * 5


def test_a_crop_and_padding_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[16, 8\] with padding, which crops to the whole image; allowed: null"):
        AugmentConfig(crop=(16, 8), pad=2)
