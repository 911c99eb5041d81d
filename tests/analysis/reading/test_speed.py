from dataclasses import replace

import pytest

from analysis import measured_speed, planned_seconds
from analysis.reading.speed import Speed, _model_of
from reid_search.study import load_study

STUDY = """\
name: {name}
base: {{data: {{name: synthetic, preset: unit}}, model: {{architecture: baseline, backbone: resnet10_thin}},
       training: {{images: 1000}}}}
axes: {{training.batch.ids: {{choice: [4, 8]}}}}
phases:
  - {{kind: search, trials: 3}}
  - {{kind: ablate, seeds: 2, around: best}}
  - {{kind: ablate, name: again, seeds: 3}}
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(STUDY.format(name="s"))
    return load_study(path).plan()


def test_nothing_is_known_before_a_trial_was_measured(plan, tmp_path):
    speed = measured_speed(tmp_path)
    assert (speed.by_model, speed.trials) == ({}, 0)
    assert planned_seconds(plan, speed, "cpu") == [None, None, None]


def test_speed_is_the_median_of_finished_trials(study):
    # Trials of the fixture take 2.5 s + their seed's last digit for each 500 images; four epochs each.
    speed = measured_speed(study.store.storage)
    seconds = {seed: (2.5 + seed % 10) / 500 for seed in (0, 1, 2, 3)}
    assert speed.by_key["a" * 16, "cpu"] == pytest.approx(seconds[2])
    assert speed.trials == 4 + 8  # proposals, and arms: the third is without its second seed
    assert {device for _, device in (*speed.by_key, *speed.by_model)} == {"cpu"}


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "s.yaml"
        path.write_text(text)
        return load_study(path)

    return load


@pytest.fixture
def speed():
    """Make a speed from seconds an image by the trial that was measured and its device."""

    def speed(*measured):
        rates = {(_model_of(config.model_dump(mode="json")), device): rate for config, device, rate in measured}
        return Speed({}, rates, len(rates))

    return speed


def test_a_trial_is_estimated_by_its_key_then_its_model_and_never_by_another(plan, speed):
    config, key = plan.trials[0].config, plan.trials[0].key
    known = replace(speed((config, "cpu", 0.2)), by_key={(key, "cpu"): 0.1})
    assert known.rate(config, "cpu", key) == 0.1
    assert known.rate(config, "cpu", "another") == 0.2
    assert known.rate(config, "cuda", key) is None
    other = config.model_copy(update={"data": config.data.model_copy(update={"image_size": (96, 48)})})
    assert known.rate(other, "cpu") is None


def test_a_training_that_two_phases_ask_for_counts_once(plan, speed):
    search, ablate, again = planned_seconds(plan, speed((plan.trials[0].config, "cpu", 0.01)), "cpu")
    # The search has two settings to try, so its third trial would repeat one of them.
    assert (search, ablate, again) == (2 * 10, 2 * 2 * 10, 2 * 10)


SEVERAL = """\
name: s
base:
  data: {name: synthetic, preset: unit}
  model: {architecture: baseline, backbone: resnet10_thin}
  training: {images: 1000}
axes:
  model.backbone: {choice: [resnet10_thin, resnet50]}
  losses.triplet.margin: {uniform: [0.1, 2.0], levels: [0.3]}
phases:
  - {kind: search, trials: 4}
  - {kind: ablate, design: path, seeds: 2}
"""


def test_a_search_over_models_is_priced_where_each_of_them_was_measured(load, speed):
    study = load(SEVERAL)
    plan = study.plan()
    space = study.space(study.config.phases[0])
    thin, deep = (
        space.config({"model.backbone": study.level("model.backbone", name)}) for name in ("resnet10_thin", "resnet50")
    )
    assert planned_seconds(plan, speed((thin, "cpu", 0.01)), "cpu") == [None, None]
    both = speed((thin, "cpu", 0.01), (deep, "cpu", 0.09))
    assert planned_seconds(plan, both, "cpu") == pytest.approx([4 * 1000 * 0.05, (3 + 3 * 2) * 1000 * 0.05])
    assert planned_seconds(plan, both, "cuda") == [None, None]


def test_a_search_that_varies_no_model_needs_one_measured(load, speed):
    plan = load(
        SEVERAL.replace("model.backbone: {choice: [resnet10_thin, resnet50]}", "training.batch.ids: {choice: [4, 8]}")
    ).plan()
    thin = plan.trials[0].config
    assert planned_seconds(plan, speed((thin, "cpu", 0.01)), "cpu") == pytest.approx([40, 90])
