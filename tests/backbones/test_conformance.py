"""What every backbone has to offer; new ones are tested by being there.

Most on `meta`, where networks cost nothing. What needs numbers runs on the smallest of each kind.
"""

import copy
import json
from typing import get_args

import pytest
import torch
from torch.testing import assert_close

from reid_search.backbones import Backbone, BackboneConfig, backbone_config, build_backbone
from reid_search.errors import StudyError
from reid_search.study import ARCHITECTURES, BACKBONES

SIZES = [(256, 128), (224, 224), (64, 32), (57, 31)]
SMALLEST = [
    "resnet10_thin",
    "resnet18_ibn_a",
    "resnet18_ibn_b",
    "resnest14d",
    "osnet_x1_0",
    "osnet_ibn_x1_0",
    "convnext_atto",
    "swin_tiny_patch4_window7_224",
    "vit_tiny_patch16_224",
    "deit_tiny_distilled_patch16_224",
    "inception_v3",
    "vgg16",
    "googlenet_caffe",
    "openpose",
]
CASES = [(name, stride) for name in BACKBONES.names() for stride in backbone_config(name).last_strides]
every_backbone = pytest.mark.parametrize("name", BACKBONES.names())
every_stride = pytest.mark.parametrize(("name", "stride"), CASES)
every_kind = pytest.mark.parametrize("name", SMALLEST)


def _on_meta(name, stride=None):
    with torch.device("meta"):
        return build_backbone(name, None, stride or backbone_config(name).last_strides[0])


def _on_cpu(name, stride=None, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_backbone(name, None, stride or backbone_config(name).last_strides[0])


def _takes(name, size, stride):
    try:
        backbone_config(name).check_image_size(size, stride)
    except StudyError:
        return False
    return True


def _images(name, count=2):
    size = (64, 32) if _takes(name, (64, 32), backbone_config(name).last_strides[-1]) else (96, 80)
    return torch.randn(count, 3, *size, generator=torch.Generator().manual_seed(0))


def test_the_smallest_of_each_kind_are_among_them():
    assert {type(backbone_config(name)) for name in SMALLEST} == {
        type(backbone_config(name)) for name in BACKBONES.names()
    }


@every_backbone
def test_its_config_is_found_by_name_and_lists_it(name):
    config = backbone_config(name)
    assert isinstance(config, BackboneConfig)
    assert BACKBONES.validate(json.loads(config.model_dump_json())) == config
    assert name in get_args(type(config).model_fields["name"].annotation)
    assert type(config).__doc__


@every_stride
def test_blocks_are_those_of_the_config(name, stride):
    """Names, and after each block its channels and the size of its map."""
    backbone, config = _on_meta(name, stride), backbone_config(name)
    blocks = config.blocks(stride)
    assert isinstance(backbone, Backbone)
    assert [child for child, _ in backbone.named_children()] == [block.name for block in blocks]
    sizes = [size for size in SIZES if _takes(name, size, stride)]
    assert len(sizes) >= 2
    for size in sizes:
        features, (height, width) = torch.empty(2, 3, *size, device="meta"), size
        for index, block in enumerate(blocks):
            features = backbone[index : index + 1](features)
            seen = features if index + 1 == len(blocks) else backbone.as_map(features)
            height, width = block.side(height), block.side(width)
            assert seen.shape == (2, block.channels, height, width)
        assert config.map_size(size, stride) == (height, width)
    assert features.shape[1] == config.channels


@every_kind
def test_images_that_it_cannot_take_are_refused(name):
    """What its config refuses raises in the network, or leaves a map without cells."""
    for stride in backbone_config(name).last_strides:
        backbone = _on_meta(name, stride).eval()
        for size in [*SIZES, (8, 8)]:
            if _takes(name, size, stride):
                assert min(backbone(torch.empty(2, 3, *size, device="meta")).shape) > 0
                continue
            try:
                features = backbone(torch.empty(2, 3, *size, device="meta"))
            except (AssertionError, RuntimeError, ValueError):
                continue
            assert features.numel() == 0


@every_backbone
def test_every_parameter_gets_a_gradient(name):
    backbone = _on_meta(name).train()
    backbone(torch.empty(2, 3, 96, 80, device="meta")).sum().backward()
    assert all(parameter.grad is not None for parameter in backbone.parameters())


@every_kind
def test_every_parameter_learns(name):
    """Its gradient is not only there: it is not zero, once norms and gates have left where they start."""
    backbone, images = _on_cpu(name).train(), _images(name, 4)
    for value in backbone.parameters():
        if value.ndim == 1:
            value.data.add_(0.5)
    features = backbone(images)
    (features * torch.randn(features.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in backbone.parameters())


@every_kind
def test_the_last_stride_moves_no_weight(name):
    config, backbone = backbone_config(name), _on_cpu(name)
    before, images = copy.deepcopy(backbone.state_dict()), _images(name)
    for stride in config.last_strides:
        backbone.set_last_stride(stride)
        assert_close(backbone.state_dict(), before, rtol=0, atol=0)
        anew = _on_cpu(name, stride)
        assert_close(anew.state_dict(), before, rtol=0, atol=0)
        assert_close(backbone.eval()(images), anew.eval()(images), rtol=0, atol=0)
        assert config.stride(stride) == stride * config.stride(config.last_strides[0]) // config.last_strides[0]


@every_backbone
def test_another_last_stride_is_refused(name):
    allowed = " or ".join(map(str, backbone_config(name).last_strides))
    with pytest.raises(StudyError, match=f"last stride 3: that of {name} cannot be changed; allowed: {allowed}"):
        _on_meta(name, 3)


@every_kind
def test_it_can_be_cut_at_every_place_and_put_together_again(name):
    config = backbone_config(name)
    cuts, stride = config.cuts, config.last_strides[0]
    assert cuts["input"] == 0
    assert list(cuts.values()) == sorted(cuts.values())
    backbone, images = _on_cpu(name).eval(), _images(name)
    size = images.shape[2:]
    whole = backbone(images)
    for count in set(cuts.values()):
        shared, rest = backbone.cut(count)
        assert isinstance(rest, Backbone)
        assert len(shared) == count <= len(backbone)
        assert {**shared.state_dict(), **rest.state_dict()}.keys() == backbone.state_dict().keys()
        assert_close(rest(shared(images)), whole, rtol=0, atol=0)
        own, other = copy.deepcopy(rest), config.last_strides[-1]
        own.set_last_stride(other)
        unstrided = config.blocks(stride)[:count] == config.blocks(other)[:count]
        assert own(shared(images)).shape[2:] == config.map_size(size, other if unstrided else stride)
        assert_close(rest(shared(images)), whole, rtol=0, atol=0)


@every_kind
def test_it_depends_on_the_seed_alone(name):
    assert_close(_on_cpu(name).state_dict(), _on_cpu(name).state_dict(), rtol=0, atol=0)
    assert any(
        not torch.equal(value, other)
        for value, other in zip(_on_cpu(name).parameters(), _on_cpu(name, seed=1).parameters(), strict=True)
    )


@every_kind
def test_its_gradient_repeats(name):
    """Nothing in it lacks a deterministic form; on a CPU this sees what torch knows to have none."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        gradients = []
        for _ in range(2):
            backbone = _on_cpu(name).train()
            backbone(_images(name, 4)).square().mean().backward()
            gradients.append({key: value.grad for key, value in backbone.named_parameters()})
    finally:
        torch.use_deterministic_algorithms(before)
    assert_close(gradients[0], gradients[1], rtol=0, atol=0)


@every_backbone
def test_other_weights_are_refused(name, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"some.weight": torch.zeros(3)}, path)
    refusal = rf"model.weights: .*: lacks .*, so it holds no weights of {name}"
    with torch.device("meta"), pytest.raises(StudyError, match=refusal):
        build_backbone(name, path, backbone_config(name).last_strides[0])


def test_a_schema_lists_every_backbone():
    schema = ARCHITECTURES.config_class("baseline").model_json_schema()
    assert schema["properties"]["backbone"]["enum"] == BACKBONES.names()
