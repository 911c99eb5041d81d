"""The landmark network: regions found by keypoints, what stands in for them, and their vectors."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.models import Batch, count_parameters
from reid_search.models.landmarks.localise import region_weights
from reid_search.models.landmarks.skeleton import BODY, JOINTS, LIMBS, regions_of
from reid_search.models.layers.regions import stripe_weights
from reid_search.study import ARCHITECTURES, select_taps
from reid_search.study.trial.side_cars import KEYPOINTS

SIZE, GRID = (64, 32), (8, 4)
RESNET50 = 23_508_032
KINDS = ("boxes", "heatmaps", "joints", "limbs")
every_kind = pytest.mark.parametrize("kind", KINDS)

STANDING = {
    "nose": (15, 7),
    "left_eye": (17, 6),
    "right_eye": (14, 6),
    "left_ear": (19, 7),
    "right_ear": (12, 7),
    "left_shoulder": (22, 15),
    "right_shoulder": (10, 14),
    "left_elbow": (25, 23),
    "right_elbow": (7, 22),
    "left_wrist": (26, 31),
    "right_wrist": (6, 29),
    "left_hip": (19, 33),
    "right_hip": (12, 33),
    "left_knee": (19, 45),
    "right_knee": (11, 46),
    "left_ankle": (20, 58),
    "right_ankle": (11, 59),
}


def _standing(count=1, **marks):
    """A person facing the camera; keypoints named are marked as given instead of visible."""
    keypoints = torch.tensor([[*STANDING[name], marks.get(name, 2)] for name in KEYPOINTS], dtype=torch.float32)
    return keypoints.repeat(count, 1, 1)


def _config(kind, **more):
    return ARCHITECTURES.validate({"architecture": "landmarks", "backbone": "resnet10_thin", "regions": kind, **more})


def _weights(keypoints, kind):
    return region_weights(keypoints, _config(kind), SIZE, GRID)


def _missing(*names):
    return _standing(**dict.fromkeys(names, 0))


def _stripe(region):
    return stripe_weights(*region.stripe, GRID, torch.zeros(()))[0]


@pytest.mark.parametrize("kind", ["boxes", "heatmaps"])
def test_regions_lie_where_the_body_is(kind):
    weights = _weights(_standing(), kind)[0]
    rows = torch.arange(GRID[0]) + 0.5
    heights = [(part.sum(dim=1) / part.sum() * rows).sum().item() * SIZE[0] / GRID[0] for part in weights]
    assert heights == sorted(heights)
    for height, (low, high) in zip(heights, [(0, 14), (15, 33), (33, 60)], strict=True):
        assert low < height < high


def test_a_box_reaches_a_margin_beyond_its_keypoints():
    """Hips, knees and ankles: x 11 to 20, y 33 to 59; 0.07 of 64 pixels more on every side."""
    lower = _weights(_standing(), "boxes")[0, 2]
    margin = 0.07 * 64
    assert lower.sum().item() * 8 * 8 == pytest.approx((9 + 2 * margin) * (26 + 2 * margin), rel=1e-4)


def test_a_joint_weighs_most_in_its_cell():
    weights = _weights(_standing(), "joints")[0]
    for region, part in zip(JOINTS, weights, strict=True):
        if len(region.members) == 1:
            x, y = STANDING[region.name]
            assert divmod(int(part.argmax()), GRID[1]) == (y // 8, x // 8), region.name


def test_joints_are_fourteen_of_every_limb():
    assert len(JOINTS) == 14
    assert {place for region in JOINTS for place in region.members} == set(range(17))
    assert {place for region in BODY for place in region.members} == set(range(17))


def test_limbs_span_the_joints_that_spindle_nets_code_lists():
    """RPN/inference.py, in its order of joints: head, neck, right arm, left arm, right leg, left leg."""
    names = [region.name for region in JOINTS[:2]]
    sides = [f"{side}_{{}}" for side in ("right", "left")]
    names += [side.format(joint) for side in sides for joint in ("shoulder", "elbow", "wrist")]
    names += [side.format(joint) for side in sides for joint in ("hip", "knee", "ankle")]
    joints = {region.name: set(region.members) for region in JOINTS}
    listed = {
        "head": (0, 1, 2, 5),
        "upper": (2, 3, 4, 5, 6, 7, 8, 11),
        "lower": range(8, 14),
        "right_arm": (2, 3, 4),
        "left_arm": (5, 6, 7),
        "right_leg": (8, 9, 10),
        "left_leg": (11, 12, 13),
    }
    expected = {name: set().union(*(joints[names[place]] for place in places)) for name, places in listed.items()}
    assert {region.name: set(region.members) for region in LIMBS} == expected


@pytest.mark.parametrize(
    ("gone", "lost"),
    [
        (("left_shoulder",), {"left_arm"}),
        (("right_elbow", "right_wrist"), {"right_arm"}),
        (("left_hip", "right_hip"), {"upper", "lower", "left_leg", "right_leg"}),
    ],
)
def test_a_limb_without_its_first_joint_or_both_others_is_its_stripe(gone, lost):
    found = zip(LIMBS, _weights(_missing(*gone), "limbs")[0], strict=True)
    assert {region.name for region, part in found if torch.allclose(part, _stripe(region))} == lost


@pytest.mark.parametrize(
    ("gone", "lost"),
    [
        (("nose", "left_eye", "right_eye", "left_ear", "right_ear"), "head"),
        (("left_shoulder", "right_shoulder"), "upper"),
        (("left_ankle", "right_ankle"), "lower"),
    ],
)
@pytest.mark.parametrize("kind", ["boxes", "heatmaps"])
def test_a_region_without_its_keypoints_is_its_stripe(gone, lost, kind):
    weights, complete = _weights(_missing(*gone), kind)[0], _weights(_standing(), kind)[0]
    for region, part, whole in zip(BODY, weights, complete, strict=True):
        assert_close(part, _stripe(region) if region.name == lost else whole)


@pytest.mark.parametrize("kind", ["boxes", "heatmaps"])
def test_without_hips_neither_upper_nor_lower_body_is_found(kind):
    weights, complete = _weights(_missing("left_hip", "right_hip"), kind)[0], _weights(_standing(), kind)[0]
    assert_close(weights, torch.stack([complete[0], _stripe(BODY[1]), _stripe(BODY[2])]))


@pytest.mark.parametrize("region", range(14))
def test_a_joint_without_its_keypoint_is_the_stripe_of_its_body_part(region):
    gone = _missing(*(KEYPOINTS[place] for place in JOINTS[region].members))
    assert_close(_weights(gone, "joints")[0, region], _stripe(JOINTS[region]))


@pytest.mark.parametrize("kind", ["boxes", "heatmaps"])
def test_one_keypoint_of_a_pair_is_enough_and_an_occluded_one_counts(kind):
    for region, part in zip(BODY, _weights(_missing("left_ankle", "right_hip", "nose"), kind)[0], strict=True):
        assert not torch.allclose(part, _stripe(region))
    hidden = _standing(**dict.fromkeys(KEYPOINTS, 1))
    assert_close(_weights(hidden, kind), _weights(_standing(), kind))


@every_kind
def test_a_keypoint_outside_the_image_is_missing(kind):
    outside, gone = _standing(), _missing("left_ankle", "right_ankle")
    for name in ("left_ankle", "right_ankle"):
        outside[0, KEYPOINTS.index(name), 1] = 70
    assert_close(_weights(outside, kind), _weights(gone, kind))


@every_kind
@pytest.mark.parametrize("gone", [(), ("left_wrist", "left_knee"), ("left_hip", "right_hip")])
def test_a_mirrored_batch_has_mirrored_regions(kind, gone):
    batch = Batch(torch.zeros(1, 3, *SIZE), keypoints=_missing(*gone))
    names = [region.name for region in regions_of(kind)]
    other = {"left": "right", "right": "left"}
    exchanged = [names.index("_".join(other.get(word, word) for word in name.split("_"))) for name in names]
    mirrored = _weights(batch.mirrored().keypoints, kind)
    assert_close(mirrored, _weights(batch.keypoints, kind)[:, exchanged].flip(3), rtol=1e-4, atol=1e-5)


PLACES = st.one_of(st.floats(-80, 150, width=32), st.just(math.nan))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(PLACES, PLACES, st.sampled_from([0, 1, 2])), min_size=17, max_size=17), st.sampled_from(KINDS)
)
def test_every_region_has_weights_whatever_the_keypoints(places, kind):
    weights = _weights(torch.tensor([places], dtype=torch.float32), kind)
    assert weights.isfinite().all()
    assert (weights >= 0).all()
    assert (weights.sum(dim=(2, 3)) > 1e-3).all()


def test_vectors_are_averages_under_the_weights(make_model, images):
    model = make_model({"architecture": "landmarks"}).eval()
    seen = []
    model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(output))
    batch = Batch(images(2), keypoints=_standing(2))
    taps = model(batch)
    weights = _weights(batch.keypoints, "boxes")
    for index, region in enumerate(BODY):
        part = weights[:, index : index + 1]
        expected = (part * seen[0]).sum(dim=(2, 3)) / part.sum(dim=(2, 3))
        assert_close(taps[f"body.{region.name}@coarse"], expected)
    assert_close(taps["body.global@coarse"], seen[0].mean(dim=(2, 3)))
    in_a_row = torch.cat([taps[f"body.{region.name}@neck"] for region in BODY], dim=1)
    assert_close(taps["body.concat@neck"], in_a_row)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"neck": "none"}, RESNET50),
        ({}, RESNET50 + 4 * 2 * 2048),
        ({"embedding_dim": 256, "neck": "none"}, RESNET50 + 4 * (2048 * 256 + 2 * 256)),
        ({"regions": "joints", "embedding_dim": 256}, RESNET50 + 15 * (2048 * 256 + 4 * 256)),
    ],
    ids=str,
)
def test_parameters_on_resnet50(settings, expected, make_model):
    model = make_model({"architecture": "landmarks", "backbone": "resnet50", **settings}, (384, 128), device="meta")
    assert count_parameters(model) == expected


def test_reads_out_the_global_vector_and_the_regions():
    config = _config("boxes", embedding_dim=64, neck="none")
    read = select_taps(config.default_readout, config.taps(SIZE))
    assert [tap.key for tap in read] == [f"body.{name}@reduced" for name in ("global", "head", "upper", "lower")]


@every_kind
def test_a_batch_without_keypoints_is_refused(kind, make_model, images):
    assert _config(kind).needs == {"keypoints"}
    with pytest.raises(StudyError, match="architecture 'landmarks' needs keypoints"):
        make_model({"architecture": "landmarks", "regions": kind})(images(2))
