"""The arithmetic of budgets against a loop that counts."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from reid_search.data.augment import draw_transforms
from reid_search.study import TrainingConfig
from reid_search.study.trial.training import AugmentConfig, ErasingConfig


def count_steps_and_epochs(stages: list[int], batch: int, report_every: int) -> tuple[int, int]:
    """Train without a network: a stage ends when its images and all before are seen, an epoch when its images are."""
    steps = wanted = 0
    for images in stages:
        wanted += images
        steps += 1
        while steps * batch < wanted:
            steps += 1
    step = epoch = 0
    while step < steps:
        epoch += 1
        before = step
        while step < steps and step * batch < epoch * report_every:
            step += 1
        assert step > before, f"epoch {epoch} has no step"
    return step, epoch


@given(
    stages=st.lists(st.integers(1, 400), min_size=1, max_size=3),
    ids=st.integers(1, 6),
    per_id=st.integers(1, 5),
    report_every=st.integers(1, 500),
)
def test_steps_and_epochs(stages: list[int], ids: int, per_id: int, report_every: int) -> None:
    fields = {
        "report_every": report_every,
        "batch": {"ids": ids, "per_id": per_id},
        "stages": [{"name": f"s{number}", "images": images} for number, images in enumerate(stages)],
    }
    steps = max(-(-sum(stages) // (ids * per_id)), len(stages))
    assume(ids * per_id > 1)
    assume(report_every >= ids * per_id or steps == 1)
    config = TrainingConfig.model_validate(fields)
    assert config.images == sum(stages)
    assert (config.steps, config.epochs) == count_steps_and_epochs(stages, ids * per_id, report_every)


@pytest.mark.parametrize(
    ("stages", "ends"),
    [
        ([20571, 1714, 1715], (643, 697, 750)),  # 24,000 images in all, which 750 batches of 32 are
        ([96, 64], (3, 5)),
        ([30, 30, 30], (1, 2, 3)),
        ([1, 1, 1], (1, 2, 3)),  # every stage has a step
        ([90, 5, 1], (3, 4, 5)),
    ],
)
def test_stages_add_no_images_to_the_budget_unless_one_would_have_no_step(
    stages: list[int], ends: tuple[int, ...]
) -> None:
    named = [{"name": f"s{number}", "images": images} for number, images in enumerate(stages)]
    config = TrainingConfig.model_validate({"batch": {"ids": 8, "per_id": 4}, "report_every": 32, "stages": named})
    assert config.stage_ends == ends


@given(images=st.integers(1, 2000), ids=st.integers(1, 16), per_id=st.integers(1, 8))
def test_left_to_itself_a_trial_has_about_ten_epochs_with_a_step_each(images: int, ids: int, per_id: int) -> None:
    assume(ids * per_id > 1)
    config = TrainingConfig.model_validate({"images": images, "batch": {"ids": ids, "per_id": per_id}})
    assert (config.steps, config.epochs) == count_steps_and_epochs([images], ids * per_id, config.report_every)
    assert config.epochs <= 10 or config.report_every == ids * per_id
    assert config.report_every == max(-(-images // 10), ids * per_id)


@pytest.mark.parametrize("report_every", [None, 100])
def test_report_every_may_be_written(report_every: int | None) -> None:
    written = TrainingConfig.model_validate({"images": 1000, "report_every": report_every})
    assert written == TrainingConfig.model_validate({"images": 1000})


@pytest.mark.parametrize("images", [5000, 5e3])
def test_a_count_may_be_written_as_a_float(images: float) -> None:
    stages = [{"name": "a", "images": images}]
    wanted = TrainingConfig(images=5000, report_every=500)
    assert TrainingConfig.model_validate({"images": images}) == wanted
    assert TrainingConfig.model_validate({"stages": stages}).report_every == 500


def test_one_stage_over_the_whole_budget_where_none_is_written() -> None:
    (stage,) = TrainingConfig(images=700).resolved_stages
    assert (stage.images, stage.losses, stage.train, stage.lr) == (700, None, ("*",), 1.0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"images": 100, "stages": [{"name": "a", "images": 40}]}, r"100 is not the sum of the stages' images \(40\)"),
        ({"images": 100, "report_every": 31}, r"31 is less than a batch of 8 × 4 images; allowed: at least 32"),
        ({"images": True}, "true should be a whole number"),
        ({"images": "5000"}, "'5000' should be a whole number"),
        ({"optimizer": {"lr": "1e-3"}}, "'1e-3' should be a number"),
        ({"optimizer": {"clip_norm": False}}, "false should be a number"),
        ({"batch": {"ids": 0}}, "greater than or equal to 1"),
        ({"schedule": {"warmup": 1.5}}, "less than or equal to 1"),
        ({"stages": [{"images": 3}]}, "name"),
    ],
)
def test_what_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TrainingConfig.model_validate(fields)


def _finds(size: tuple[int, int], area: tuple[float, float], aspect: tuple[float, float], slack: float) -> bool:
    """Look for a rectangle on a fine grid of heights and widths that round to less than the image's."""
    height, width = (np.linspace(0.5, side - 0.5, 40 * side) for side in size)
    found_area = height[:, None] * width / (size[0] * size[1])
    found_aspect = height[:, None] / width
    inside = (found_area >= area[0] / slack) & (found_area <= area[1] * slack)
    return bool((inside & (found_aspect >= aspect[0] / slack) & (found_aspect <= aspect[1] * slack)).any())


@given(
    size=st.tuples(st.integers(2, 24), st.integers(2, 24)),
    area=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    aspect=st.tuples(st.floats(0.01, 100.0), st.floats(0.01, 100.0)),
)
def test_a_rectangle_fits_where_a_search_finds_one(
    size: tuple[int, int], area: tuple[float, float], aspect: tuple[float, float]
) -> None:
    (least, most), (low, high) = sorted(area), sorted(aspect)
    fits = ErasingConfig(area=(least, most), aspect=(low, high)).fits(size)
    if _finds(size, (least, most), (low, high), slack=1.0):
        assert fits
    if fits:
        assert _finds(size, (least, most), (low, high), slack=1.1)


@pytest.mark.parametrize(
    ("area", "aspect", "fits"),
    [
        ((0.02, 0.4), (0.3, 3.3), True),
        ((1.0, 1.0), (0.3, 3.3), False),
        ((0.0, 0.0), (0.3, 3.3), False),
        ((0.0, 1.0), (130.0, 200.0), False),
        ((0.9, 1.0), (0.3, 3.3), True),
        ((0.6, 1.0), (0.3, 1.0), False),
    ],
)
def test_erasing_fits_where_it_erases_something(
    area: tuple[float, float], aspect: tuple[float, float], fits: bool
) -> None:
    augment = AugmentConfig(erase=1.0, erasing=ErasingConfig(area=area, aspect=aspect))
    drawn = draw_transforms(400, (64, 32), augment, np.random.default_rng(0)).erased
    assert augment.erasing.fits((64, 32)) == fits == bool((drawn[:, 2:].prod(1) > 0).any())
