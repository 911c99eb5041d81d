"""Which readouts a trial measures where a study varies them."""

from collections.abc import Callable
from typing import Any

import pytest

from reid_search.study import Axis, TrialConfig
from reid_search.study.question.readouts import measured

TAPS = Axis.model_validate({"choice": {"coarse": ["coarse"], "reduced": ["reduced"]}})
FLIP = Axis.model_validate({"choice": [True, False]})


@pytest.fixture
def config(trial_content: Callable[..., dict[str, Any]]) -> Callable[..., TrialConfig]:
    def make(readouts: dict[str, Any], **over: Any) -> TrialConfig:
        return TrialConfig.model_validate(trial_content(readouts=readouts, **over))

    return make


def test_without_axes_a_trial_measures_its_own_readouts(config: Callable[..., TrialConfig]) -> None:
    own = config({"default": {"taps": ["reduced"]}, "globals": {"taps": ["global@coarse"]}})
    result = measured(own, own.readouts, {})
    assert result.config == own
    assert result.stored == {"default": "default", "globals": "globals"}


def test_every_variant_is_measured_and_each_arm_knows_its_own(config: Callable[..., TrialConfig]) -> None:
    base = config({"default": {"taps": ["reduced"], "flip": True}})
    axes = {"readouts.default.taps": TAPS, "readouts.default.flip": FLIP}
    names = set()
    for taps in (["reduced"], ["coarse"]):
        for flip in (True, False):
            arm = config({"default": {"taps": taps, "flip": flip}})
            result = measured(arm, base.readouts, axes)
            assert list(result.config.readouts) == list(measured(base, base.readouts, axes).config.readouts)
            assert result.config.readouts[result.stored["default"]] == arm.readouts["default"]
            names.add(result.stored["default"])
    assert len(names) == 4
    assert next(iter(result.config.readouts)) == "default"
    assert names == set(result.config.readouts)


def test_a_variant_that_a_model_does_not_offer_is_left_out(config: Callable[..., TrialConfig]) -> None:
    base = config({"default": {"taps": ["reduced"]}})
    model = {"architecture": "baseline", "backbone": "resnet10_thin", "neck": "none"}
    losses = {"identity": {"on": ["coarse"]}, "triplet": {"on": ["coarse"]}}
    arm = config({"default": {"taps": ["coarse"]}}, model=model, losses=losses)
    result = measured(arm, base.readouts, {"readouts.default.taps": TAPS})
    assert list(result.config.readouts) == [result.stored["default"]]
    assert result.stored["default"].startswith("default-")


def test_a_phase_s_own_readout_is_measured_beside_the_variants(config: Callable[..., TrialConfig]) -> None:
    base = config({"default": {"taps": ["reduced"]}})
    arm = config({"default": {"taps": ["global@coarse"], "normalize": "none"}})
    result = measured(arm, base.readouts, {"readouts.default.taps": TAPS})
    assert len(result.config.readouts) == 3
    assert result.config.readouts[result.stored["default"]] == arm.readouts["default"]


def test_a_marked_control_is_kept_under_the_same_name(config: Callable[..., TrialConfig]) -> None:
    base = config({"default": {"taps": ["reduced"]}})
    for settings in ({"taps": ["reduced"]}, {"taps": ["coarse"]}):
        plain, marked = (config({"default": {**settings, **more}}) for more in ({}, {"control": True}))
        kept = [measured(trial, base.readouts, {"readouts.default.taps": TAPS}) for trial in (plain, marked)]
        assert kept[0].stored == kept[1].stored
        assert list(kept[0].config.readouts) == list(kept[1].config.readouts)


def test_a_variant_whose_scorer_needs_a_head_that_is_not_trained_is_left_out(
    config: Callable[..., TrialConfig],
) -> None:
    scorer = Axis.model_validate(
        {"choice": {"pairs": {"kind": "pair_head", "head": "verification"}, "re-ranked": {"kind": "k_reciprocal"}}}
    )
    base = config({"default": {"taps": ["global@reduced"], "normalize": "none"}})
    head = {"kind": "verification", "on": ["global@reduced"]}
    with_head = config({"default": base.readouts["default"].model_dump()}, losses={"verification": head})
    axes = {"readouts.default.scorer": scorer}
    for trial, kinds in ((base, [None, "k_reciprocal"]), (with_head, [None, "pair_head", "k_reciprocal"])):
        made = measured(trial, base.readouts, axes).config
        assert [readout.scorer and readout.scorer.kind for readout in made.readouts.values()] == kinds
        assert TrialConfig.model_validate(made.model_dump(mode="json")) == made, "a process can read it"
