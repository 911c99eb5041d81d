"""Four published MGN systems and the strong baseline, each written as a trial config and nothing else."""

from itertools import chain

import pytest
import torch

from reid_search.losses import Criterion
from reid_search.models import build_model
from reid_search.study import Stage, TrialConfig

DATA = {"name": "market1501", "image_size": [384, 128], "holdout": 0}
MGN = {"architecture": "mgn", "backbone": "resnet50", "parts": [1, 2, 3], "split": "layer3.0"}
PASS = 12_936

PAPER = {
    "data": DATA,
    "model": {**MGN, "pooling": "max", "reduction": "conv_bn_relu", "strides": {1: 2}},
    "losses": {
        "identity": {"kind": "cross_entropy", "on": ["global@coarse", "part@reduced"]},
        "triplet": {"kind": "triplet", "on": ["global@reduced"], "margin": 1.2},
    },
    "training": {
        "images": 80 * PASS,
        "batch": {"ids": 16, "per_id": 4},
        "optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4},
        "schedule": {"kind": "step", "warmup": 0, "milestones": [40 / 80, 60 / 80], "gamma": 0.1},
        "augment": {"flip": 0.5},
    },
}
SEATHIEFWANG = {
    "data": DATA,
    "model": {**MGN, "pooling": "avg", "reduction": "conv_bn_relu", "strides": {1: 2}},
    "losses": {
        "identity": {"kind": "cross_entropy", "on": ["reduced"], "weight": 1},
        "triplet": {"kind": "triplet", "on": ["global@reduced"], "margin": 1.2, "weight": 2},
    },
    "training": {
        "images": 400 * 3004,
        "batch": {"ids": 16, "per_id": 4},
        "optimizer": {"kind": "adam", "lr": 2e-4, "amsgrad": True},
        "schedule": {"kind": "step", "warmup": 0, "milestones": [320 / 400, 380 / 400]},
        "augment": {"flip": 0.5, "erase": 0.5},
    },
}
GNAYUOHZ = {
    "data": DATA,
    "model": {**MGN, "pooling": "max", "reduction": "conv_bn_relu", "reduction_shared": True, "strides": {1: 2}},
    "losses": {
        "identity": {"kind": "cross_entropy", "on": ["reduced"], "weight": 2},
        "triplet": {"kind": "triplet", "on": ["global@reduced"], "margin": 1.2, "weight": 1},
    },
    "training": {
        "images": 500 * 3004,
        "batch": {"ids": 4, "per_id": 4},
        "optimizer": {"kind": "adam", "lr": 2e-4, "amsgrad": True},
        "schedule": {"kind": "step", "warmup": 0, "milestones": [320 / 500, 380 / 500]},
        "augment": {"flip": 0.5, "erase": 0.5},
    },
}
FAST_REID = {
    "data": DATA,
    "model": {**MGN, "pooling": "gem", "reduction": "conv", "neck": "bnneck", "strides": {1: 1}},
    "losses": {
        "identity": {
            "kind": "cross_entropy",
            "on": ["neck"],
            "logits": "circle",
            "scale": 64,
            "margin": 0.35,
            "label_smoothing": 0.1,
        },
        "triplet": {"kind": "triplet", "on": ["global@neck", "concat@neck"], "margin": "soft"},
    },
    "training": {
        "images": 60 * PASS,
        "batch": {"ids": 4, "per_id": 16, "order": "covering"},
        "optimizer": {"kind": "adam", "lr": 3.5e-4},
        "schedule": {
            "kind": "cosine",
            "warmup": 2000 * 64 / (60 * PASS),
            "warmup_start": 0.1,
            "delay": 0.5,
            "floor": 7e-7 / 3.5e-4,
        },
        "augment": {"flip": 0.5, "pad": 10, "erase": 0.5, "auto": 0.1},
        "precision": "amp",
    },
    "readouts": {"default": {"taps": ["neck"]}},
}
STRONG_BASELINE = {
    "data": {**DATA, "image_size": [256, 128]},
    "model": {"architecture": "baseline", "backbone": "resnet50", "pooling": "avg", "last_stride": 1, "neck": "bnneck"},
    "losses": {
        "identity": {"kind": "cross_entropy", "on": ["global@neck"], "label_smoothing": 0.1},
        "triplet": {"kind": "triplet", "on": ["global@coarse"], "margin": 0.3},
        "centre": {"kind": "centre", "on": ["global@coarse"], "weight": 5e-4},
    },
    "training": {
        "images": 120 * PASS,
        "batch": {"ids": 16, "per_id": 4},
        "optimizer": {"kind": "adam", "lr": 3.5e-4},
        "schedule": {"kind": "step", "warmup": 10 / 120, "warmup_start": 0.1, "milestones": [40 / 120, 70 / 120]},
        "augment": {"flip": 0.5, "pad": 10, "erase": 0.5, "erasing": {"aspect": [0.3, 3.33], "aspect_law": "uniform"}},
    },
}
SYSTEMS = {"paper": PAPER, "seathiefwang": SEATHIEFWANG, "GNAYUOHZ": GNAYUOHZ, "fast-reid": FAST_REID}

GLOBALS = [f"p{count}.global" for count in (1, 2, 3)]
PARTS = [f"p{count}.part{number}" for count in (2, 3) for number in range(1, count + 1)]
ALL = sorted(GLOBALS + PARTS)
CONCATENATIONS = ["p2.concat", "p3.concat"]
EXPECTED = {
    "paper": ({"coarse": GLOBALS, "reduced": PARTS}, {"reduced": GLOBALS}, 8),
    "seathiefwang": ({"reduced": ALL}, {"reduced": GLOBALS}, 8),
    "GNAYUOHZ": ({"reduced": ALL}, {"reduced": GLOBALS}, 1),
    "fast-reid": ({"neck": ALL}, {"neck": GLOBALS + CONCATENATIONS}, 8),
}


def _by_stage(taps):
    return {
        str(stage): sorted(tap.name for tap in taps if tap.stage == stage)
        for stage in Stage
        if any(tap.stage == stage for tap in taps)
    }


@pytest.mark.parametrize("name", SYSTEMS)
def test_losses_sit_where_they_were_published(name):
    config = TrialConfig.model_validate(SYSTEMS[name])
    identity, triplet, _ = EXPECTED[name]
    assert _by_stage(config.loss_taps("identity")) == identity
    assert _by_stage(config.loss_taps("triplet")) == {stage: sorted(taps) for stage, taps in triplet.items()}
    dims = {tap.scope: tap.dim for tap in config.loss_taps("identity")}
    assert dims == {"global": 2048 if name == "paper" else 256, "part": 256}
    assert sum(tap.dim for tap in config.readout_taps("default")) == 8 * 256
    if name == "fast-reid":
        assert [tap.dim for tap in config.loss_taps("triplet") if tap.scope == "concat"] == [512, 768]


@pytest.mark.parametrize("name", SYSTEMS)
def test_network_is_the_published_one(name):
    config = TrialConfig.model_validate(SYSTEMS[name])
    with torch.device("meta"):
        model = build_model(config.model, image_size=config.data.image_size)
        criterion = Criterion(config.losses, {key: config.loss_taps(key) for key in config.losses}, 751, seed=0)
    reductions = [key for key in model.state_dict() if key.endswith("conv.weight") and "reduction" in key]
    assert len(reductions) == EXPECTED[name][2]
    strides = [branch.blocks.get_submodule("layer4_0").conv2.stride[0] for branch in model.branches]
    assert strides == [1 if name == "fast-reid" else 2, 1, 1]
    exponents = [key for key, _ in model.named_parameters() if key.endswith("pooling.exponent")]
    assert len(exponents) == (8 if name == "fast-reid" else 0)
    classifiers = sum(parameter.numel() for parameter in criterion.parameters())
    biases = 0 if name == "fast-reid" else 8 * 751  # MGN's have one by default, but circle softmax has none
    assert classifiers == 751 * sum(tap.dim for tap in config.loss_taps("identity")) + biases
    if name == "fast-reid":  # counted in the public code
        assert sum(parameter.numel() for parameter in model.parameters()) + classifiers == 70_345_800


@pytest.mark.parametrize("name", SYSTEMS)
def test_thin_variant_learns_on_every_switched_on_tap(name):
    settings = {**SYSTEMS[name], "data": {**DATA, "image_size": [96, 32]}}
    settings["model"] = {**settings["model"], "backbone": "resnet10_thin", "embedding_dim": 64}
    config = TrialConfig.model_validate(settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model(config.model, image_size=config.data.image_size)
        images = torch.randn(8, 3, 96, 32)
    sites = {key: config.loss_taps(key) for key in config.losses}
    criterion = Criterion(config.losses, sites, 4, seed=0)
    taps = model(images)
    for value in taps.values():
        value.retain_grad()
    total, values = criterion(taps, torch.arange(8) // 2)
    total.backward()
    weights = {key: SYSTEMS[name]["losses"][key].get("weight", 1) for key in values}
    assert total.item() == pytest.approx(sum(weights[key] * value.item() for key, value in values.items()))
    for tap in chain(*sites.values()):
        gradient = taps[tap.key].grad
        assert gradient is not None, tap.key
        assert gradient.abs().sum() > 0, tap.key
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert sum(parameter.grad is not None for parameter in trained) >= len(trained) - 3 * 3


def test_strong_baseline_is_the_published_one():
    """Luo et al. 2019: triplet and centre loss before the neck; behind it a classifier without bias."""
    config = TrialConfig.model_validate(STRONG_BASELINE)
    sites = {key: config.loss_taps(key) for key in config.losses}
    assert {key: [tap.key for tap in taps] for key, taps in sites.items()} == {
        "identity": ["p1.global@neck"],
        "triplet": ["p1.global@coarse"],
        "centre": ["p1.global@coarse"],
    }
    with torch.device("meta"):
        criterion = Criterion(config.losses, sites, 751, seed=0)
    assert sum(parameter.numel() for parameter in criterion.parameters()) == 751 * 2048
    assert [tuple(buffer.shape) for buffer in criterion.buffers()] == [(751, 2048)]
    assert criterion.weights == {"identity": 1, "triplet": 1, "centre": 5e-4}
