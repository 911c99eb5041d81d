"""Plans: counts by hand, seeds, warnings."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reid_search.cli.inspect import plan as show
from reid_search.errors import DataError
from reid_search.study import BASELINE, SCHEMA_VERSION, Fingerprints, Study, TrialConfig, trial_key
from reid_search.words import several

Load = Callable[..., Study]

ABLATIONS = """\
name: plan
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin}
  training: {images: 320}
axes:
  model.parts: {choice: [[1], [1, 2], [1, 2, 3]]}
  model.pooling: {choice: [max, avg]}
  readouts.default.flip: {choice: [true, false]}
phases:
  - {kind: ablate, name: first, seeds: 2}
  - {kind: ablate, name: second, design: factorial, seeds: 3, set: {training.images: 640}}
  - {kind: ablate, name: third, design: factorial, seeds: 3}
"""


def test_counts_of_ablations(load: Load) -> None:
    first, second, third = load(ABLATIONS).plan().phases
    assert [len(phase.arms) for phase in (first, second, third)] == [5, 12, 12]
    assert [len(phase.trials) for phase in (first, second, third)] == [10, 36, 36]
    # 4 trainings with 2 seeds; 6 with 3; and those again at 320 images, less the 8 that the first phase asks for
    assert [phase.count for phase in (first, second, third)] == [8, 18, 10]
    assert [phase.images for phase in (first, second, third)] == [8 * 320, 18 * 640, 10 * 320]


def test_the_sum_of_a_plan(load: Load) -> None:
    plan = load(ABLATIONS).plan()
    assert plan.study == "plan"
    assert plan.images == 8 * 320 + 18 * 640 + 10 * 320
    assert len(plan.arms) == 29
    assert len({(trial.key, trial.seed) for trial in plan.trials}) == 36


def test_trials_come_seed_after_seed_with_the_baseline_first(load: Load) -> None:
    phase = load(ABLATIONS).plan().phases[0]
    names = [arm.name for arm in phase.arms]
    assert names[0] == BASELINE
    assert [(trial.seed, trial.arm.name) for trial in phase.trials] == [(s, name) for s in (1, 2) for name in names]
    assert all(trial.key == trial_key(trial.config, trial.config.data.fingerprint()) for trial in phase.trials)


@pytest.mark.parametrize(("evaluate", "holdout"), [("test", 0.0), ("val", 0.2)])
def test_answers_on_the_test_split_train_without_holdout(evaluate: str, holdout: float, load: Load) -> None:
    study = load(overrides=[f"phases.ablate.evaluate={evaluate}"])
    trials = study.plan().trials
    assert {trial.config.data.holdout for trial in trials} == {holdout}
    assert {trial.evaluate for trial in trials} == {evaluate}


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_replicates_share_no_seed_with_any_search(seed: int, load: Load) -> None:
    study = load(overrides=[f"seed={seed}", "phases.ablate.seeds=9999", "axes={model.neck: {choice: [none]}}"])
    seeds = {trial.seed for trial in study.plan().trials}
    assert seeds == set(range(1, 10_000))
    assert study.search_seed == 10_000 + seed not in seeds


def test_more_seeds_keep_the_trials_that_there_are(load: Load) -> None:
    few, many = (load(overrides=[f"phases.ablate.seeds={count}"]).plan() for count in (2, 5))
    assert {(t.key, t.seed) for t in few.trials} < {(t.key, t.seed) for t in many.trials}


def test_a_search_counts_its_proposals(load: Load) -> None:
    phase = load().plan().phases[0]
    assert (phase.kind, phase.count, phase.images, phase.arms, phase.trials) == ("search", 4, 4 * 320, (), ())
    assert phase.about == "tpe, successive_halving, maximises val/mAP"


@pytest.mark.parametrize(("trials", "count"), [(3, 3), (5, 5), (100, 5)])
def test_a_grid_is_no_larger_than_its_cells(trials: int, count: int, load: Load) -> None:
    text = f"""\
name: grid
base:
  data: {{name: synthetic, preset: tiny}}
  model: {{architecture: mgn, backbone: resnet10_thin}}
axes:
  model.architecture: {{choice: [baseline, mgn]}}
  model.parts: {{choice: [[1], [1, 2]], when: {{model.architecture: mgn}}}}
  losses.identity.weight: {{choice: [1, 2], when: {{model.architecture: mgn}}}}
  losses.triplet.weight: {{uniform: [0, 1], levels: [1]}}
phases: [{{kind: search, sampler: grid, trials: {trials}}}]
"""
    assert load(text).plan().phases[0].count == count


FRACTION = """\
name: fraction
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin, parts: [1]}
axes:
  model.parts: {choice: [[1], [1, 2], [1, 2, 3]], levels: [[1], [1, 2]]}
  model.pooling: {choice: [max, avg]}
  readouts.default.flip: {choice: {"both [sides]": true, plain: false}}
arms:
  full: {model.parts: [1, 2], model.pooling: avg, readouts.default.flip: true}
phases:
  - {kind: ablate, name: half, seeds: 2, design: fractional_factorial, resolution: 3}
  - {kind: ablate, name: other, seeds: 2, design: fractional_factorial, resolution: 3, around: full}
  - {kind: ablate, name: whole, seeds: 2, design: fractional_factorial}
  - {kind: ablate, name: out, seeds: 2, design: leave_one_out, around: full}
  - {kind: ablate, name: in, seeds: 2, design: add_one_in, around: full}
"""


def test_a_plan_says_what_a_fraction_costs_and_cannot_tell_apart(load: Load) -> None:
    half, other, whole, *_ = load(FRACTION).plan().phases
    size = "fractional_factorial (4 runs, resolution 3)"
    assert half.about == f"{size} around base, 2 seeds, each on data of its own, tested on test"
    assert other.about == f"{size} around full, 2 seeds, each on data of its own, tested on test"
    whole_size = "fractional_factorial (8 runs, the full factorial)"
    assert whole.about == f"{whole_size} around base, 2 seeds, each on data of its own, tested on test"
    # flip is on in the base, and parts and pooling are off, so a run has an odd number of axes that are on
    assert half.aliases == (
        "model.parts = model.pooling × readouts.default.flip",
        "model.pooling = model.parts × readouts.default.flip",
        "readouts.default.flip = model.parts × model.pooling",
    )
    assert other.aliases == half.aliases, "the full system has three that are on"
    assert whole.aliases == ()
    assert [len(phase.arms) for phase in (half, other, whole)] == [4, 4, 8]
    assert {arm.config.model_dump_json() for arm in half.arms} == {arm.config.model_dump_json() for arm in other.arms}
    assert other.count == 0, "arms that designs share run once"


def test_the_signs_of_aliases_are_those_of_the_arms(load: Load) -> None:
    study = load(FRACTION, ["base.readouts={default: {flip: false}}"])
    half, other, *_ = study.plan().phases
    assert half.aliases[0] == "model.parts = -model.pooling × readouts.default.flip"
    assert other.aliases[0] == "model.parts = model.pooling × readouts.default.flip"
    on = {"model.parts": "[1, 2]", "model.pooling": "avg", "readouts.default.flip": "both [sides]"}
    for phase, sign in ((half, -1), (other, 1)):
        for arm in phase.arms:
            parts, pooling, flip = (1 if level.label == on[path] else -1 for path, level in arm.settings.items())
            assert parts == sign * pooling * flip


def test_the_command_shows_arms_and_aliases_as_they_are(
    load: Load, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    arms = load(FRACTION).plan().arms
    show(Path("study.yaml"))
    shown = capsys.readouterr().out
    assert all(arm.name in shown for arm in arms)
    assert "readouts.default.flip=plain" in shown
    assert "model.pooling=max, readouts.default.flip=both [sides]" in shown
    assert shown.count("aliased: model.parts = model.pooling × readouts.default.flip") == 2
    show(Path("study.yaml"), as_json=True)
    phases = {phase["name"]: phase for phase in json.loads(capsys.readouterr().out)["phases"]}
    assert phases["out"]["about"] == "leave_one_out around full, 2 seeds, each on data of its own, tested on test"
    assert phases["in"]["about"] == "add_one_in around full, 2 seeds, each on data of its own, tested on test"
    assert len(phases["half"]["aliases"]) == 3


def test_arms_around_the_best_are_provisional_until_it_is_known(load: Load) -> None:
    study = load(overrides=["phases.ablate.around=best"])
    assert study.plan().phases[1].provisional
    assert not study.plan({"model.parts": study.level("model.parts", "[1]")}).phases[1].provisional


@pytest.mark.parametrize(("axes", "seeds"), [(None, 5), ("[model.parts]", 3), ("[]", 2)])
def test_a_path_counts_the_most_that_there_can_be(load: Load, axes: str | None, seeds: int) -> None:
    only = [f"phases.ablate.axes={axes}"] if axes else []
    study = load(overrides=["phases.ablate.design=path", f"phases.ablate.seeds={seeds}", *only])
    most = {None: 2, "[model.parts]": 1, "[]": 0}[axes]
    candidates = sum(range(1, most + 1))
    phase = study.plan().phases[1]
    assert phase.provisional
    assert phase.count == candidates + (most + 1) * seeds
    assert phase.images == phase.count * 320
    assert [arm.name for arm in phase.arms] == [BASELINE]
    assert f"at most {several(most, 'step')} over {several(candidates, 'candidate')}" in phase.about


def test_a_control_that_reads_what_no_loss_trains_is_noted(load: Load) -> None:
    text = """\
name: warn
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin, parts: [1, 2]}
  losses: {identity: {on: [p1.global@coarse, part@reduced]}, triplet: {on: [p2.global@reduced]}}
  readouts: {fine: {taps: [p2.*@coarse, p2.concat@reduced]}, poor: {taps: [reduced, p1.global@coarse], control: true}}
phases: [{kind: ablate}]
"""
    assert load(text).plan().warnings == (
        "baseline: readout 'poor', a control, uses p1.global@reduced, which no loss trains",
    )


def test_a_fingerprint_is_taken_once_for_every_image_size_and_split(
    trial: Callable[..., TrialConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = [
        trial(changes).data for changes in ({}, {"data.image_size": [32, 16]}, {"data.holdout": 0}, {"data.seed": 1})
    ]
    calls = []
    genuine = type(data[0]).fingerprint
    monkeypatch.setattr(type(data[0]), "fingerprint", lambda self: (calls.append(self), genuine(self))[1])
    known = Fingerprints()
    prints = [known.of(item) for item in data]
    assert len(calls) == 2
    assert prints[0] == prints[1] == prints[2] != prints[3]


def test_a_plan_without_its_data_says_so(load: Load, tmp_path: Path) -> None:
    text = """\
name: real
base: {data: {name: market1501, root: nowhere}, model: {architecture: baseline}}
phases: [{kind: ablate}]
"""
    study = load(text)
    with pytest.raises(DataError, match="nowhere"):
        study.plan()


def test_the_version_of_the_schema() -> None:
    assert SCHEMA_VERSION == 1  # raising it gives every training a new key, so that all are measured again


def test_redrawn_data_are_those_of_the_seed_and_the_same_for_every_arm(load: Load) -> None:
    plain = load(overrides=["phases.ablate.seeds=3", "phases.ablate.redraw_data=false"]).plan().trials
    redrawn = load(overrides=["phases.ablate.seeds=3", "phases.ablate.redraw_data=true", "base.data.seed=7"]).plan()
    seeds = {(trial.seed, trial.config.data.model_dump()["seed"]) for trial in redrawn.trials}
    assert seeds == {(1, 7), (2, 8), (3, 9)}
    assert len({(trial.key, trial.seed) for trial in redrawn.trials}) == len({(t.key, t.seed) for t in plain})
    assert len({trial.key for trial in redrawn.trials}) == 3 * len({trial.key for trial in plain})
    for trial in redrawn.trials:
        assert trial.key == trial_key(trial.config, trial.config.data.fingerprint())
    assert "3 seeds, each on data of its own" in redrawn.phases[-1].about


ON_DATA = """\
name: default
base: {{data: {data}, model: {{architecture: baseline, backbone: resnet10_thin}}}}
axes:
  {axis}
phases: [{{kind: ablate, seeds: 2}}]
"""
DRAWN, READ = "{name: synthetic, preset: tiny}", "{name: market1501, root: nowhere}"
OTHERS, MIXED = "{train: [synthetic], test: {own: synthetic}}", "{train: [synthetic], test: {other: market1501}}"
MARGIN = "losses.triplet.margin: {choice: [0.3, 1.2]}"
SOURCE = f"source: {{variants: {{drawn: {{}}, read: {{data: {READ}}}}}}}"


@pytest.mark.parametrize(
    ("data", "axis", "written", "redraws"),
    [
        (DRAWN, MARGIN, [], True),
        (OTHERS, MARGIN, [], True),
        (DRAWN, MARGIN, ["phases.ablate.redraw_data=false"], False),
        (READ, MARGIN, [], False),
        (MIXED, MARGIN, [], False),
        (DRAWN, SOURCE, [], False),
    ],
)
def test_every_seed_has_data_of_its_own_where_all_are_drawn_unless_the_study_says_otherwise(
    load: Load, data: str, axis: str, written: list[str], redraws: bool
) -> None:
    study = load(ON_DATA.format(data=data, axis=axis), overrides=written)
    (phase,) = study.resolved()["phases"]  # type: ignore[misc]
    assert phase["redraw_data"] is redraws
    if data == DRAWN and axis == MARGIN:
        (planned,) = study.plan().phases
        whose = "2 seeds, each on data of its own" if redraws else "2 seeds on the same data"
        assert planned.about == f"one_factor around base, {whose}, tested on test"


def test_the_first_replicate_has_the_data_that_the_study_names(load: Load) -> None:
    plain, redrawn = (load(overrides=[f"phases.ablate.redraw_data={on}"]).plan().trials for on in ("false", "true"))
    assert {t.key for t in plain if t.seed == 1} == {t.key for t in redrawn if t.seed == 1}
    assert {t.key for t in plain if t.seed == 2}.isdisjoint({t.key for t in redrawn if t.seed == 2})


def test_a_single_seed_is_noted(load: Load) -> None:
    plan = load(overrides=["phases.ablate.seeds=1"]).plan()
    assert plan.phases[-1].about == "one_factor around base, 1 seed, tested on test"
    assert [note for note in plan.warnings if "interval" in note] == [
        "ablate: one seed gives no interval and decides no claim; take at least seeds: 2"
    ]
