"""What is refused when a study is planned: readouts of what no loss trains, weights files that are not there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reid_search.errors import StudyError
from reid_search.study import Study, TrialConfig

Load = Callable[..., Study]
Trial = Callable[..., TrialConfig]

STUDY = """\
name: trained
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin, parts: [1, 2], embedding_dim: 64}
  losses: {identity: {on: [global@coarse, part@reduced]}, triplet: {on: [global@reduced]}}
  training: {images: 320}
axes:
  losses.triplet.on: {choice: {none: [], globals: [global@reduced]}}
  losses.triplet.margin: {uniform: [0.1, 2.0], levels: [0.3]}
phases: [PHASE]
"""
ABLATE, SEARCH = "{kind: ablate}", "{kind: search, trials: 4}"
PATH = "{kind: search, trials: 4, axes: [losses.triplet.margin]}, {kind: ablate, design: path}"


def _untrained(config: TrialConfig, readout: str = "default") -> list[str]:
    return [tap.key for tap in config.untrained_taps(readout)]


@pytest.mark.parametrize("phase", [ABLATE, SEARCH, PATH])
def test_arms_and_proposals_are_refused(load: Load, phase: str) -> None:
    with pytest.raises(StudyError, match=r"(?s)study.yaml:10: .*none.*'p1\.global@reduced' passes through branches"):
        load(STUDY.replace("PHASE", phase))


@pytest.mark.parametrize("phase", [ABLATE, SEARCH, PATH])
def test_a_marked_control_may_read_them(load: Load, phase: str) -> None:
    load(STUDY.replace("PHASE", phase), ["base.readouts.default.control=true"])


def test_the_base_is_refused_at_its_own_place(load: Load) -> None:
    text = STUDY.replace("PHASE", ABLATE).replace("triplet: {on: [global@reduced]}", "triplet: {on: []}")
    text = text.replace("axes:", "  readouts: {default: {taps: [reduced]}}\naxes:")
    with pytest.raises(StudyError, match=r"^study.yaml:7: base\.readouts\.default\.taps: 'p1\.global@reduced'"):
        load(text)


def test_a_control_can_be_the_matter_of_one_arm(load: Load) -> None:
    axes = "arm: {variants: {full: {}, none: {losses: {triplet: {on: []}}, readouts: {default: {control: true}}}}}"
    text = STUDY.replace("PHASE", ABLATE)
    start, end = text.index("  losses.triplet.on"), text.index("phases:")
    load(f"{text[:start]}  {axes}\n{text[end:]}")
    with pytest.raises(StudyError, match=r"in arm 'arm=none' of ablate: readouts\.default\.taps"):
        load(f"{text[:start]}  {axes.replace(', readouts: {default: {control: true}}', '')}\n{text[end:]}")


def test_every_readout_is_checked_and_a_concatenation_needs_all_of_its_parts(load: Load) -> None:
    readouts = "readouts: {first: {taps: [coarse]}, second: {taps: [p2.concat@reduced]}}"
    text = STUDY.replace("PHASE", ABLATE).replace("axes:", f"  {readouts}\naxes:")
    text = text.replace("part@reduced]}, triplet", "p2.part1@reduced]}, triplet")
    with pytest.raises(
        StudyError,
        match=r"base\.readouts\.second\.taps: 'p2\.concat@reduced' .*stripes\.p2\.1\.reduction,",
    ):
        load(text)


def test_a_loss_that_no_stage_has_at_work_trains_nothing(trial: Trial) -> None:
    stages = [
        {"name": "one", "images": 160, "losses": ["identity"]},
        {"name": "two", "images": 160, "losses": ["identity"]},
    ]
    both = {"losses.identity.on": ["global@coarse", "part@reduced"], "losses.triplet.on": ["global@reduced"]}
    assert _untrained(trial(both)) == []
    bare = _untrained(trial({**both, "training.stages": stages}))
    assert bare == ["p1.global@reduced", "p2.global@reduced", "p3.global@reduced"]
    stages[1]["losses"] = ["identity", "triplet"]
    assert _untrained(trial({**both, "training.stages": stages})) == []


def test_a_weight_of_zero_trains_nothing(trial: Trial) -> None:
    settings = {"losses.identity.on": ["coarse"], "losses.triplet.on": ["reduced"]}
    assert _untrained(trial(settings)) == []
    assert len(_untrained(trial({**settings, "losses.triplet.weight": 0}))) == 8


def test_the_mark_changes_no_name_and_no_dump(trial: Trial) -> None:
    readouts = {"taps": ["reduced"], "flip": False}
    plain, marked = (
        trial({"readouts.default": {**readouts, **more}}).readouts["default"] for more in ({}, {"control": True})
    )
    assert "control" not in plain.model_dump(mode="json")
    assert marked.model_dump(mode="json") == {**plain.model_dump(mode="json"), "control": True}
    assert marked.unmarked == plain != marked


def test_a_weight_that_a_search_never_sets_to_zero_is_no_reason(load: Load) -> None:
    axis = "losses.triplet.weight: {uniform: [0, 1], levels: [0, 1]}"
    text = STUDY.replace("losses.triplet.on: {choice: {none: [], globals: [global@reduced]}}", axis)
    load(text.replace("PHASE", SEARCH))
    for phase in (ABLATE, "{kind: search, sampler: grid, trials: 4}"):
        with pytest.raises(StudyError, match=r"p1\.global@reduced"):
            load(text.replace("PHASE", phase))


WEIGHTS = STUDY.replace("[PHASE]", "[{kind: ablate, axes: []}]").replace(
    "parts: [1, 2]", "weights: near.pth, parts: [1, 2]"
)


def test_a_weights_file_that_is_not_there_is_refused_with_those_that_are(load: Load, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"near\.pth: no such file; allowed: a file, or null for random weights"):
        load(WEIGHTS)
    with pytest.raises(StudyError, match="neither the file nor its folder exists; allowed: a file, or null"):
        load(WEIGHTS, ["model.weights=/nowhere/near.pth"])
    (tmp_path / "nears.pth").touch()
    place = rf"^study.yaml:4: base\.model\.weights: {tmp_path}/near\.pth: no such file; did you mean 'nears\.pth'"
    with pytest.raises(StudyError, match=place):
        load(WEIGHTS)
    (tmp_path / "near.safetensors").touch()
    with pytest.raises(StudyError, match=r"\(allowed: near\.safetensors, nears\.pth\), or null"):
        load(WEIGHTS)
    for target, said in (("near.pth", "a link that leads back to itself"), ("nowhere", "a link to nothing")):
        (tmp_path / "near.pth").symlink_to(target)
        with pytest.raises(StudyError, match=rf"{tmp_path}/near\.pth: {said}; "):
            load(WEIGHTS)
        (tmp_path / "near.pth").unlink()
    with pytest.raises(
        StudyError, match=rf"{tmp_path}/no/near\.pth: neither the file nor its folder exists, but {tmp_path} does"
    ):
        load(WEIGHTS, ["model.weights=no/near.pth"])
    with pytest.raises(StudyError, match=rf"{tmp_path}: expected a file, found a folder; allowed: .*nears.pth"):
        load(WEIGHTS, [f"model.weights={tmp_path}"])
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial/config.json").write_text("{}")
    kept = rf"{tmp_path}/trial: a trial that kept no weights; `reid-search train {tmp_path}/trial/config\.json` trains"
    with pytest.raises(StudyError, match=kept):
        load(WEIGHTS, [f"model.weights={tmp_path}/trial"])
    (tmp_path / "near.pth").touch()
    load(WEIGHTS)


@pytest.mark.parametrize("phase", [ABLATE, SEARCH])
def test_a_level_that_is_no_weights_file_is_refused(load: Load, tmp_path: Path, phase: str) -> None:
    (tmp_path / "near.pth").touch()
    text = WEIGHTS.replace("[{kind: ablate, axes: []}]", f"[{phase}]")
    text = text.replace(
        "losses.triplet.on: {choice: {none: [], globals: [global@reduced]}}",
        "model.weights: {choice: [near.pth, LEVEL]}",
    )
    arms = load(text.replace("LEVEL", "null")).plan().arms
    assert [arm.name for arm in arms][:2] == (["baseline", "model.weights=none"] if phase == ABLATE else [])
    with pytest.raises(StudyError, match=r":8: .* level 'far\.pth' .*: model\.weights: .*far\.pth: no such file"):
        load(text.replace("LEVEL", "far.pth"))
