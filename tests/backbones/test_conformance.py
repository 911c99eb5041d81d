"""What every backbone has to offer; new ones are tested by being there. Most on `meta`, where networks cost nothing."""

import copy
import json
from typing import get_args

import pytest
import torch
from torch.testing import assert_close

from reid_search.backbones import Backbone, BackboneConfig, backbone_config, build_backbone
from reid_search.errors import StudyError
from reid_search.study import ARCHITECTURES, BACKBONES

SIZES = [(384, 128), (256, 128), (64, 32), (57, 31), (41, 97)]
every_backbone = pytest.mark.parametrize("name", BACKBONES.names())
both_strides = pytest.mark.parametrize("stride", [1, 2])


def _on_meta(name, stride=1):
    with torch.device("meta"):
        return build_backbone(name, None, stride)


def _on_cpu(name, stride=1, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_backbone(name, None, stride)


@every_backbone
def test_its_config_is_found_by_name_and_lists_it(name):
    config = backbone_config(name)
    assert isinstance(config, BackboneConfig)
    assert BACKBONES.validate(json.loads(config.model_dump_json())) == config
    assert name in get_args(type(config).model_fields["name"].annotation)
    assert type(config).__doc__


@every_backbone
@both_strides
def test_blocks_are_those_of_the_config(name, stride):
    """Names, and after each block its channels and the size of its map."""
    backbone, blocks = _on_meta(name, stride), backbone_config(name).blocks(stride)
    assert isinstance(backbone, Backbone)
    assert [child for child, _ in backbone.named_children()] == [block.name for block in blocks]
    for size in SIZES:
        features, (height, width) = torch.empty(2, 3, *size, device="meta"), size
        for block in blocks:
            features = backbone.get_submodule(block.name)(features)
            height, width = -(-height // block.stride), -(-width // block.stride)
            assert features.shape == (2, block.channels, height, width)
        assert backbone_config(name).map_size(size, stride) == (height, width)
    assert features.shape[1] == backbone_config(name).channels


@every_backbone
def test_the_last_stride_halves_the_map_and_moves_no_weight(name):
    config, backbone = backbone_config(name), _on_cpu(name)
    before = copy.deepcopy(backbone.state_dict())
    fine = config.map_size((64, 32), 1)
    assert config.map_size((64, 32), 2) == tuple(side // 2 for side in fine)
    assert config.stride(2) == 2 * config.stride(1) == 2 * 64 // fine[0]
    backbone.set_last_stride(2)
    assert_close(backbone.state_dict(), before, rtol=0, atol=0)
    assert_close(backbone.state_dict(), _on_cpu(name, 2).state_dict(), rtol=0, atol=0)


@every_backbone
def test_it_can_be_cut_at_every_place_and_put_together_again(name):
    cuts = backbone_config(name).cuts
    assert cuts["input"] == 0
    assert list(cuts.values()) == sorted(cuts.values())
    backbone = _on_cpu(name).eval()
    images = torch.randn(2, 3, 32, 16, generator=torch.Generator().manual_seed(0))
    whole = backbone(images)
    for count in set(cuts.values()):
        shared, rest = backbone.cut(count)
        assert isinstance(rest, Backbone)
        assert len(shared) == count <= len(backbone)
        assert {**shared.state_dict(), **rest.state_dict()}.keys() == backbone.state_dict().keys()
        assert_close(rest(shared(images)), whole, rtol=0, atol=0)
        own = copy.deepcopy(rest)
        own.set_last_stride(2)
        size = own(shared(images)).shape[2:]
        strided = backbone_config(name).blocks(1)[:count] == backbone_config(name).blocks(2)[:count]
        assert size == backbone_config(name).map_size((32, 16), 2 if strided else 1)
        assert_close(rest(shared(images)), whole, rtol=0, atol=0)


@every_backbone
def test_it_depends_on_the_seed_alone(name):
    assert_close(_on_cpu(name).state_dict(), _on_cpu(name).state_dict(), rtol=0, atol=0)
    assert any(
        not torch.equal(value, other)
        for value, other in zip(_on_cpu(name).parameters(), _on_cpu(name, seed=1).parameters(), strict=True)
    )


@every_backbone
def test_every_parameter_learns(name):
    backbone = _on_cpu(name).train()
    backbone(torch.randn(4, 3, 64, 32, generator=torch.Generator().manual_seed(0))).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in backbone.parameters())


@every_backbone
def test_other_weights_are_refused(name, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"some.weight": torch.zeros(3)}, path)
    with pytest.raises(StudyError, match=rf"model.weights: .*: lacks .*, so it holds no weights of {name}"):
        build_backbone(name, path, 1)


@every_backbone
@pytest.mark.parametrize("architecture", ["baseline", "mgn", "pcb"])
def test_architectures_take_it(name, architecture):
    settings = {"architecture": architecture, "backbone": name}
    config = ARCHITECTURES.validate(settings)
    assert config.model_dump(mode="json")["backbone"] == name
    assert config.channels == backbone_config(name).channels


def test_a_schema_lists_every_backbone():
    schema = ARCHITECTURES.config_class("baseline").model_json_schema()
    assert schema["properties"]["backbone"]["enum"] == BACKBONES.names()
