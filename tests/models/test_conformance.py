"""What every architecture promises. A new one passes these tests as it is, or adds settings to `SETTINGS`."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import load, save
from torch.testing import assert_close

from reid_search.errors import ReidSearchError
from reid_search.models import Batch, count_macs, count_parameters
from reid_search.study import ARCHITECTURES, LOSSES, select_taps
from reid_search.study.trial.taps import untrained

SETTINGS = {
    "baseline": [
        {},
        {"neck": "none"},
        {"neck": "none", "embedding_dim": 64},
        {"embedding_dim": 128, "pooling": "gem", "last_stride": 2},
        {"embedding_dim": 64, "pooling": "fc", "reduction": "conv_bn"},
        {"embedding_dim": 32, "pooling": "avg_max", "reduction": "linear"},
    ],
    "mgn": [
        {},
        {"neck": "bnneck", "pooling": "gem", "reduction": "conv_bn"},
        {"parts": [1, 2, 4], "reduction_shared": True, "pooling": "avg", "embedding_dim": 64},
        {"split": "input", "parts": [3]},
        {"branches": "one", "strides": {1: 1}, "neck": "bnneck"},
    ],
    "pcb": [
        {"parts": 4},
        {"parts": 4, "partition": "refined", "neck": "bnneck", "embedding_dim": 64},
        {"parts": 3, "reduction_shared": True, "global_head": True, "part_mean": True, "pooling": "max"},
    ],
    "part_control": [{}, {"sees": "scattered", "neck": "bnneck", "pooling": "gem"}, {"parts": 1, "last_stride": 2}],
    "spreid": [
        {},
        {"maps": "learnt"},
        {"maps": "learnt", "parser": "shared", "embedding_dim": 64, "neck": "bnneck", "parser_detached": False},
        {"maps": "stripes", "backbone_shared": False, "combine": "mean", "resize": "maps", "pooling": "gem"},
        {"maps": "uniform", "map_grid": [6, 5], "foreground": False, "combine": "concat", "include_global": False},
    ],
    "landmarks": [
        {},
        {"regions": "heatmaps", "neck": "none", "pooling": "gem"},
        {"regions": "joints", "embedding_dim": 64, "reduction": "conv_bn"},
    ],
    "part_bilinear": [
        {},
        {"fusion": "bilinear", "appearance_dim": 32, "part_dim": 16, "signed_sqrt": True},
        {"fusion": "concat", "embedding_dim": 64, "neck": "none", "pooling": "max"},
        {"fusion": "appearance", "appearance_dim": 64},
        {"sketch_dim": 100, "part_backbone": "resnet18", "last_stride": 2, "unit_length": False},
    ],
    "bilinear_cnn": [
        {},
        {"fusion": "compact", "stream_dim": None},
        {"streams": "two", "stream_dim": 32, "second_backbone": "resnet18", "neck": "none"},
    ],
    "attributes": [{}, {"reweighting": False}, {"embedding_dim": 64, "neck": "bnneck", "pooling": "avg_max"}],
}
CASES = [
    pytest.param({"architecture": name, **settings}, id=f"{name}-{index}")
    for name in ARCHITECTURES.names()
    for index, settings in enumerate(SETTINGS.get(name, [{}]))
]


def one(batch, place):
    return Batch(batch.images[[place]], batch.maps[[place]], batch.keypoints[[place]])


every_architecture = pytest.mark.parametrize("settings", CASES)


@every_architecture
@pytest.mark.parametrize("training", [True, False])
def test_returns_the_taps_that_its_config_lists(settings, training, make_config, make_model, batches):
    model = make_model(settings).train(training)
    listed = make_config(settings).taps((64, 32))
    taps = model(batches(3))
    assert list(taps) == [tap.key for tap in listed]
    assert {key: (3, *tap.shape) for key, tap in zip(taps, listed, strict=True)} == {
        key: tuple(value.shape) for key, value in taps.items()
    }
    assert model.tap_specs == listed


@every_architecture
def test_takes_images_alone_where_it_needs_nothing_else(settings, make_config, make_model, batches):
    model, batch = make_model(settings).eval(), batches(2)
    needs = make_config(settings).needs
    if needs:
        with pytest.raises(ReidSearchError, match=f"(?s){settings['architecture']}.*{'|'.join(needs)}"):
            model(batch.images)
    else:
        assert_close(model(batch.images), model(batch), rtol=0, atol=0)


@every_architecture
def test_needs_no_more_than_it_says(settings, make_config, make_model, batches):
    needs, batch = make_config(settings).needs, batches(2)
    alone = Batch(batch.images, **{kind: getattr(batch, kind) for kind in needs})
    model = make_model(settings).eval()
    assert_close(model(alone), model(batch), rtol=0, atol=0)


@every_architecture
def test_has_the_modes_that_its_config_lists(settings, make_config, make_model, batches):
    model = make_model(settings).eval()
    tested = model(batches(2))
    for mode in make_config(settings).modes:
        model.use_mode(mode)
        assert list(model(batches(2))) == list(tested)
    model.use_mode(None)
    assert_close(model(batches(2)), tested, rtol=0, atol=0)
    with pytest.raises(ValueError, match="no such mode"):
        model.use_mode("no such mode")


@every_architecture
def test_embeds_the_default_readout_at_unit_length(settings, make_config, make_model, batches):
    model, config = make_model(settings).eval(), make_config(settings)
    read = select_taps(config.default_readout, config.taps((64, 32)))
    features = model.embed(batches(3))
    assert features.shape == (3, sum(tap.dim for tap in read))
    assert_close(features.norm(dim=1), torch.ones(3))
    taps = model(batches(3))
    joined = torch.cat([taps[tap.key] for tap in read], dim=1)
    assert_close(features * joined.norm(dim=1, keepdim=True), joined)


@every_architecture
def test_same_seed_builds_the_same_network(settings, make_model, batches):
    first, second, other = (make_model(settings, seed=seed).eval() for seed in (1, 1, 2))
    assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)
    assert not torch.equal(first.embed(batches(2)), other.embed(batches(2)))


@every_architecture
def test_can_be_built_without_values(settings, make_model):
    """By which a plan knows the names of its parameters."""
    bare, whole = make_model(settings, device="meta"), make_model(settings)
    assert all(parameter.is_meta for parameter in bare.parameters())
    named = [{name: item.requires_grad for name, item in model.named_parameters()} for model in (bare, whole)]
    assert named[0] == named[1]


@every_architecture
def test_an_image_is_embedded_alike_in_any_company(settings, make_model, batches):
    model = make_model(settings)
    model(batches(8, seed=1))
    model.eval()
    batch = batches(4)
    together = model.embed(batch)
    alone = torch.cat([model.embed(one(batch, place)) for place in range(4)])
    assert_close(alone, together, rtol=1e-4, atol=1e-5)


@every_architecture
def test_half_precision_is_finite(settings, make_model, batches):
    model = make_model(settings)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        taps = model(batches(4))
    torch.stack([value.float().square().mean() for value in taps.values()]).sum().backward()
    assert all(value.isfinite().all() for value in taps.values())
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters() if parameter.grad is not None)


@every_architecture
def test_weights_survive_a_file(settings, make_model, batches):
    model = make_model(settings, seed=1)
    model(batches(4))
    other = make_model(settings, seed=2)
    other.load_state_dict(load(save(model.state_dict())))
    assert_close(other.eval().embed(batches(2)), model.eval().embed(batches(2)), rtol=0, atol=0)


@every_architecture
def test_every_trainable_parameter_learns(settings, make_model, batches):
    model = make_model(settings)
    taps = model(batches(4))
    weights = torch.Generator().manual_seed(3)
    sum((value * torch.randn(value.shape, generator=weights)).sum() for value in taps.values()).backward()
    idle = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.abs().sum() > 0)
    ]
    assert idle == []


def _reached(model, batch):
    """Return the parameters that train, and which of them a gradient on each tap reaches."""
    parameters = {name: item for name, item in model.named_parameters() if item.requires_grad}
    weights = torch.Generator().manual_seed(3)
    reached = {}
    for key, value in model(batch).items():
        target = (value * torch.randn(value.shape, generator=weights)).sum()
        gradients = torch.autograd.grad(target, parameters.values(), retain_graph=True, allow_unused=True)
        reached[key] = {name for name, item in zip(parameters, gradients, strict=True) if item is not None}
    return parameters, reached


@every_architecture
def test_a_gradient_on_a_tap_reaches_the_modules_that_its_config_names(settings, make_config, make_model, batches):
    parameters, reached = _reached(make_model(settings), batches(4))
    for tap in make_config(settings).taps((64, 32)):
        named = {name for name in parameters if any(name.startswith(f"{module}.") for module in tap.through)}
        assert named == reached[tap.key], tap.key


@every_architecture
def test_a_tap_is_trained_where_gradients_reach_everything_before_it(settings, make_config, make_model, batches):
    """For a loss on each tap alone, and for losses on a stage of every vector but one."""
    _, reached = _reached(make_model(settings), batches(4))
    taps = make_config(settings).taps((64, 32))
    placements = [[tap] for tap in taps]
    placements += [[tap for tap in taps if tap.stage == left.stage and tap.name != left.name] for left in taps]
    for sites in placements:
        trained = set().union(*(reached[tap.key] for tap in sites))
        wanted = [tap for tap in taps if not reached[tap.key] <= trained]
        assert list(untrained(taps, sites)) == wanted, [tap.key for tap in sites]


@every_architecture
def test_trains_the_same_to_the_last_digit(settings, make_model, batches, deterministic_algorithms):
    def gradients():
        model = make_model(settings)
        sum(value.square().sum() for value in model(batches(4)).values()).backward()
        return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}

    assert_close(gradients(), gradients(), rtol=0, atol=0)


@every_architecture
def test_all_parameters_are_new_without_a_weights_file(settings, make_model):
    model = make_model(settings)
    assert model.new_parameters() == {name for name, _ in model.named_parameters()}


@every_architecture
def test_its_size_is_counted_and_nothing_changes(settings, make_model, batches):
    model = make_model(settings).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert count_macs(model, (64, 32)) > 1_000_000
    assert count_parameters(model) > 100_000
    assert model.training
    assert_close(model.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("architecture", ARCHITECTURES.names())
def test_its_default_losses_sit_on_taps_it_has(architecture, make_config):
    config = make_config({"architecture": architecture})
    assert config.default_losses
    sites = [select_taps(LOSSES.validate(loss).on, config.taps((64, 32))) for loss in config.default_losses.values()]
    assert any(sites)


@pytest.mark.parametrize("family", ["ARCHITECTURES", "LOSSES"])
def test_configs_are_known_without_torch(family):
    code = (
        f"import sys; from reid_search.study import {family} as family;"
        "[family.config_class(name) for name in family.names()]; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
