"""Taps of a config against taps of the network, over many configs; on `meta` tensors, which have shapes alone."""

import itertools

import pytest
import torch

from reid_search.backbones import backbone_config
from reid_search.errors import StudyError
from reid_search.study import BACKBONES

PARTS = [[1], [1, 2], [3, 1], [1, 2, 3], [1, 2, 4], [1, 3, 6]]
OPTIONS = {
    "split": ["input", "layer1", "layer2", "layer3.0", "layer3", "layer4.0"],
    "branches": ["separate", "one"],
    "pooling": ["max", "avg", "gem", "avg_max", "fc"],
    "reduction": ["conv_bn_relu", "conv_bn", "linear"],
    "reduction_shared": [True, False],
    "neck": ["none", "bnneck"],
    "embedding_dim": [8, 256, 2048],
    "parts": PARTS,
    "size": [(96, 48), (57, 31), (128, 64)],
}


def _assert_taps_fit(settings, image_size, make_config, make_model, device):
    listed = make_config(settings).taps(image_size)
    taps = make_model(settings, image_size, device=device)(torch.ones(2, 3, *image_size, device=device))
    assert [(tap.key, (2, *tap.shape)) for tap in listed] == [(key, tuple(tap.shape)) for key, tap in taps.items()]


def _spread(options, count):
    """As many combinations, spread over all of them so that any two options meet."""
    combinations = [dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())]
    step = next(step for step in itertools.count(len(combinations) // count) if len(combinations) % step)
    return combinations[::step]


@pytest.mark.parametrize("settings", _spread(OPTIONS, 36), ids=lambda settings: "-".join(map(str, settings.values())))
def test_taps_of_mgn(settings, make_config, make_model):
    settings = {"architecture": "mgn", **settings, "strides": dict.fromkeys(settings["parts"], 1)}
    settings["reduction_shared"] &= settings["pooling"] != "fc"
    _assert_taps_fit(settings, settings.pop("size"), make_config, make_model, "cpu")


@pytest.mark.parametrize("neck", ["none", "bnneck"])
@pytest.mark.parametrize("dim", [None, 64, 2048])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("pooling", ["avg", "fc"])
def test_taps_of_the_baseline(neck, dim, stride, pooling, make_config, make_model):
    settings = {"architecture": "baseline", "neck": neck, "embedding_dim": dim, "last_stride": stride}
    settings["pooling"] = pooling
    _assert_taps_fit(settings, (64, 32), make_config, make_model, "cpu")


@pytest.mark.parametrize("parts", [2, 8])
@pytest.mark.parametrize(("partition", "pooling"), [("stripes", "gem"), ("stripes", "fc"), ("refined", "avg")])
@pytest.mark.parametrize("extras", [{}, {"global_head": True, "neck": "bnneck"}, {"part_mean": True}], ids=str)
def test_taps_of_pcb(parts, pooling, partition, extras, make_config, make_model):
    settings = {"architecture": "pcb", "parts": parts, "partition": partition, "embedding_dim": 16, **extras}
    settings["pooling"] = pooling
    _assert_taps_fit(settings, (64, 32), make_config, make_model, "cpu")


@pytest.mark.parametrize("backbone", BACKBONES.names())
def test_taps_of_every_backbone(backbone, make_config, make_model):
    config = backbone_config(backbone)
    strides = config.last_strides
    branches = {1: strides[-1], 3: strides[0], 6: strides[0]}
    before_the_stride = [
        cut for cut, shared in config.cuts.items() if len({config.blocks(stride)[:shared] for stride in strides}) == 1
    ]
    mgn = {"architecture": "mgn", "backbone": backbone, "parts": [1, 3, 6], "strides": branches}
    mgn["split"] = before_the_stride[len(before_the_stride) // 2]
    _assert_taps_fit(mgn, (384, 128), make_config, make_model, "meta")


@pytest.mark.parametrize(("stride", "rows"), [(1, 8), (2, 4)])
def test_as_many_stripes_as_rows_and_no_more(stride, rows, make_config, make_model):
    def settings(parts):
        return {"architecture": "mgn", "parts": [parts], "strides": {parts: stride}}

    _assert_taps_fit(settings(rows), (64, 32), make_config, make_model, "cpu")
    with pytest.raises(StudyError, match=rf"parts: {rows + 1} stripes do not fit a map of {rows}×.*at most {rows},"):
        make_config(settings(rows + 1)).taps((64, 32))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parts": []}, "at least one branch"),
        ({"parts": [1, 0]}, "a branch has at least 1 stripe"),
        ({"parts": [2, 2]}, "each number of stripes may appear once"),
        ({"split": "layer4.0"}, "share the block that has the stride"),
        ({"split": "layer5"}, "'layer5' is not a choice; .*layer3.0"),
        ({"strides": {1: 3}}, "strides"),
        ({"strides": {0: 1}}, "strides"),
        ({"embedding_dim": 7}, "8"),
        ({"embedding_dim": 2049}, "2048"),
        ({"backbone": "resnet52"}, "'resnet52' is not a choice; .*resnet50"),
        ({"pooling": "mean"}, "avg"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings, message, make_config):
    with pytest.raises(ValueError, match=message):
        make_config({"architecture": "mgn", **settings})
