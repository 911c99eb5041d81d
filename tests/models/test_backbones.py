"""Every architecture on every kind of backbone: it takes a step of training, or is refused when it is planned."""

import pytest
import torch
from pydantic import ValidationError

from reid_search.backbones import backbone_config
from reid_search.losses.criterion import Criterion
from reid_search.losses.targets import Targets
from reid_search.models import build_model
from reid_search.study import ARCHITECTURES, BACKBONES, TrialConfig
from reid_search.study.trial.side_cars import ATTRIBUTES

KINDS = {
    "resnet10_thin": "layer3.0",
    "resnet18_ibn_a": "layer3.0",
    "resnest14d": "layer3.0",
    "osnet_x0_25": "conv3.0",
    "convnext_atto": "stages.2.blocks.0",
    "swin_tiny_patch4_window7_224": "layers.2.blocks.0",
    "vit_tiny_patch16_224": "blocks.7",
    "deit_tiny_distilled_patch16_224": "blocks.7",
    "inception_v3": "Mixed_6b",
    "vgg16": "conv3",
    "googlenet_caffe": "inception_3b",
    "openpose": "stage1",
}


def _size(name):
    return (96, 80) if name == "inception_v3" else (64, 32)


def _trial(architecture, name, **settings):
    model = {"architecture": architecture, "backbone": name, **settings}
    data = {"name": "synthetic", "preset": "tiny", "image_size": _size(name)}
    return TrialConfig.model_validate({"data": data, "model": model})


def _step(config, batches):
    """Train one step, and return the parameters that no gradient reached."""
    size, generator = config.data.image_size, torch.Generator().manual_seed(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build_model(config.model, image_size=size).train()
    criterion = Criterion(config.losses, {name: config.loss_taps(name) for name in config.losses}, 2, seed=0)
    batch = batches(4, size)
    attributes = torch.stack([torch.randint(0, count, (4,), generator=generator) for count in ATTRIBUTES.values()], 1)
    targets = Targets(torch.tensor([0, 0, 1, 1]), attributes, batch.maps, batch.keypoints, size)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    total, _ = criterion(model(batch), targets)
    total.backward()
    optimizer.step()
    assert torch.isfinite(total)
    assert any(not torch.equal(value, before[name]) for name, value in model.named_parameters())
    return [name for name, value in model.named_parameters() if value.requires_grad and value.grad is None]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("architecture", ARCHITECTURES.names())
def test_it_trains_or_is_refused_when_planned(architecture, name, batches):
    """With the architecture's own settings, as in an axis over backbones."""
    try:
        config = _trial(architecture, name)
    except ValidationError as refusal:
        with pytest.raises(ValidationError, match=r"allowed: \S|at most \d"):
            raise refusal from None
        return
    unreached = _step(config, batches)
    assert not [path for path in unreached if "blocks" in path or "backbone" in path]


@pytest.mark.parametrize("name", list(KINDS))
@pytest.mark.parametrize("architecture", ["mgn", "pcb", "baseline", "spreid", "part_bilinear"])
def test_it_trains_with_settings_that_fit(architecture, name, batches):
    """Part models work wherever there is a map and a place to cut."""
    strides = backbone_config(name).last_strides
    settings = {} if architecture == "mgn" else {"last_stride": strides[0]}
    if architecture == "mgn":
        settings = {"parts": [1, 2], "split": KINDS[name], "strides": {1: strides[-1], 2: strides[0]}}
    if architecture == "pcb":
        settings |= {"parts": 2}
    config = _trial(architecture, name, **settings)
    unreached = _step(config, batches)
    assert not [path for path in unreached if "blocks" in path or "backbone" in path]


def test_every_kind_is_among_them():
    known = {type(backbone_config(name)) for name in KINDS}
    assert known == {type(backbone_config(name)) for name in BACKBONES.names()}


@pytest.mark.parametrize(
    ("model", "size", "message"),
    [
        ({"backbone": "vit_tiny_patch16_224"}, (60, 32), r"\[60, 32\]: .* 16×16 pixels; .* such as \[64, 32\]"),
        ({"backbone": "swin_tiny_patch4_window7_224", "last_stride": 2}, (62, 32), r"multiples of 4, such as \[6[04]"),
        (
            {"backbone": "inception_v3", "last_stride": 2},
            (64, 32),
            r"no map of an image this small; allowed: at least 75 on either side",
        ),
        ({"backbone": "swin_tiny_patch4_window7_224"}, (64, 32), r"1: the last stride of swin.* 2; allowed: 2"),
        ({"backbone": "osnet_x1_0", "last_stride": 2}, (64, 32), r"2: the last stride of osnet_x1_0 .* 1; allowed: 1"),
        (
            {"architecture": "mgn", "backbone": "vit_tiny_patch16_224", "split": "blocks.7"},
            (64, 32),
            r"\{1: 2\}: the last stride of vit_tiny_patch16_224 is always 1; allowed: 1",
        ),
        (
            {"architecture": "mgn", "backbone": "osnet_x1_0", "strides": {1: 1}},
            (64, 32),
            r"'layer3.0' is not a choice; allowed: conv2, conv3, conv3.0, conv4",
        ),
        (
            {"architecture": "spreid", "maps": "learnt", "parser_backbone": "swin_tiny_patch4_window7_224"},
            (64, 32),
            r"'swin_tiny_patch4_window7_224': .* is always 2, and 1 is needed; .*allowed: .*resnet10_thin",
        ),
        (
            {"architecture": "bilinear_cnn", "streams": "two", "second_backbone": "inception_v3"},
            (64, 32),
            r"inception_v3 leaves no map of an image this small",
        ),
    ],
)
def test_a_refusal_names_value_rule_and_what_is_allowed(model, size, message):
    data = {"name": "synthetic", "preset": "tiny", "image_size": size}
    model = {"architecture": "baseline", "backbone": "resnet10_thin", **model}
    with pytest.raises(ValidationError, match=message):
        TrialConfig.model_validate({"data": data, "model": model})
