from types import SimpleNamespace

import pytest

from analysis import measured_speed, planned_seconds
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
    assert (speed.overall, speed.trials) == (None, 0)
    assert planned_seconds(plan, speed) == [None, None, None]


def test_speed_is_the_median_of_finished_trials(study):
    # Trials of the fixture take 2.5 s + their seed's last digit for each 500 images; four epochs each.
    speed = measured_speed(study.store.storage)
    seconds = {seed: (2.5 + seed % 10) / 500 for seed in (0, 1, 2, 3)}
    assert speed.by_key["a" * 16] == pytest.approx(seconds[2])
    assert speed.trials == 4 + 8  # proposals, and arms: the third is without its second seed
    assert speed.overall == pytest.approx(seconds[1])


def test_a_trial_is_estimated_by_its_key_then_its_model_then_all(plan):
    config = plan.trials[0].config.model_dump(mode="json")
    key = plan.trials[0].key
    from analysis.reading.speed import Speed, _model_of

    speed = Speed({key: 0.1}, {_model_of(config): 0.2}, 0.3, 3)
    assert speed.seconds(key, config, 10) == pytest.approx(1)
    assert speed.seconds("another", config, 10) == pytest.approx(2)
    assert speed.seconds("another", {"model": {"architecture": "mgn"}}, 10) == pytest.approx(3)


def test_a_training_that_two_phases_ask_for_counts_once(plan):
    speed = SimpleNamespace(seconds=lambda key, config, images: images / 100)
    search, ablate, again = planned_seconds(plan, speed)
    assert (search, ablate, again) == (30, 2 * 2 * 10, 2 * 10)
