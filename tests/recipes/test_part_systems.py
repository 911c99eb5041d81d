"""Recipes of systems with parts and products: their sizes, their losses by arithmetic, their phases.

What a table of settings cannot carry is written at the top of each recipe.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from reid_search.backbones import backbone_config
from reid_search.data import open_trial_data
from reid_search.losses import Criterion, Targets
from reid_search.models import ReidModel, build_model, count_parameters
from reid_search.study import TrialConfig
from reid_search.study.trial.normalization import Normalization
from reid_search.study.trial.weights import normalization_of
from reid_search.training.checkpoint import close, save
from reid_search.training.schedule import learning_rate_factor
from reid_search.training.trainer import Trainer

CLASSES = 751
RESNET50, VGG16 = 23_508_032, 14_714_688
EPOCH = 12_936 // 64 * 64
"""Images of an epoch of Market-1501, of which the code drops what fills no batch."""
Numbers = npt.NDArray[np.float64]


def _published(name: str, **over: Any) -> TrialConfig:
    return TrialConfig.model_validate({"recipe": name, "data": {"name": "market1501"}, **over})


def _on_meta(name: str) -> tuple[ReidModel, Criterion]:
    config = _published(name, model={"weights": None})
    with torch.device("meta"):
        return build_model(config.model, image_size=config.data.image_size), _criterion(config, CLASSES)


def _criterion(config: TrialConfig, classes: int) -> Criterion:
    return Criterion(config.losses, {key: config.loss_taps(key) for key in config.losses}, classes, seed=0)


def _head(channels: int, dim: int) -> int:
    return channels * dim + 2 * dim


def _inception_v3() -> int:
    """Convolutions without bias, each with a batch norm, as the authors' code lists them: channels, width, kernel."""

    def size(*convolutions: tuple[int, int, int]) -> int:
        return sum(before * width * cells + 2 * width for before, width, cells in convolutions)

    def block_35(before: int, pooled: int) -> int:
        return size((before, 64, 1), (before, 48, 1), (48, 64, 25), (before, 64, 1), (64, 96, 9), (96, 96, 9),
                    (before, pooled, 1))  # fmt: skip

    def block_17(hidden: int) -> int:
        seven = [(768, hidden, 1), (hidden, hidden, 7), (hidden, 192, 7)]
        twice = [(768, hidden, 1), *3 * [(hidden, hidden, 7)], (hidden, 192, 7)]
        return size((768, 192, 1), *seven, *twice, (768, 192, 1))

    def block_8(before: int) -> int:
        return size((before, 320, 1), (before, 384, 1), *2 * [(384, 384, 3)], (before, 448, 1), (448, 384, 9),
                    *2 * [(384, 384, 3)], (before, 192, 1))  # fmt: skip

    stem = size((3, 32, 9), (32, 32, 9), (32, 64, 9), (64, 80, 1), (80, 192, 9))
    reductions = size((288, 384, 9), (288, 64, 1), (64, 96, 9), (96, 96, 9))
    reductions += size((768, 192, 1), (192, 320, 9), (768, 192, 1), *2 * [(192, 192, 7)], (192, 192, 9))
    return (
        stem
        + block_35(192, 32) + block_35(256, 64) + block_35(288, 64)
        + sum(map(block_17, (128, 160, 160, 192)))
        + block_8(1280) + block_8(2048)
        + reductions
    )  # fmt: skip


def _biased(*convolutions: tuple[int, int, int]) -> int:
    return sum((before * cells + 1) * width for before, width, cells in convolutions)


def _googlenet_to_4e() -> int:
    """Convolutions with biases, as the authors' code lists them: 1×1, 3×3 and 5×5 with what reduces before, pooling."""
    modules = [
        (192, 64, 96, 128, 16, 32, 32), (256, 128, 128, 192, 32, 96, 64), (480, 192, 96, 208, 16, 48, 64),
        (512, 160, 112, 224, 24, 64, 64), (512, 128, 128, 256, 24, 64, 64), (512, 112, 144, 288, 32, 64, 64),
        (528, 256, 160, 320, 32, 128, 128),
    ]  # fmt: skip
    return _biased((3, 64, 49), (64, 64, 1), (64, 192, 9)) + sum(
        _biased((n, a, 1), (n, b, 1), (b, c, 9), (n, d, 1), (d, e, 25), (n, f, 1)) for n, a, b, c, d, e, f in modules
    )


def _openpose_to_stage_2() -> int:
    """The same of its part stream: ten layers of VGG-19, two of its own, two stages of limbs (38) and joints (19)."""
    vgg = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), *3 * [(256, 256)], (256, 512), (512, 512)]
    front = _biased(*((*pair, 9) for pair in [*vgg, (512, 256), (256, 128)]))
    stages = sum(
        _biased(*3 * [(128, 128, 9)], (128, 512, 1), (512, end, 1))
        + _biased((185, 128, 49), *4 * [(128, 128, 49)], (128, 128, 1), (128, end, 1))
        for end in (38, 19)
    )
    return front + stages


INCEPTION_V3 = _inception_v3()
PARAMETERS = {
    "pcb": (RESNET50 + 6 * _head(2048, 256), 6 * (256 + 1) * CLASSES),
    "pcb_rpp": (RESNET50 + 6 * _head(2048, 256) + 6 * 2048, 6 * (256 + 1) * CLASSES),
    "spreid": (2 * INCEPTION_V3, (3 * 2048 + 1) * CLASSES),
    "spreid_ft": (INCEPTION_V3, (3 * 2048 + 1) * CLASSES),
    "spreid_wo_fg": (2 * INCEPTION_V3, (2 * 2048 + 1) * CLASSES),
    "spreid_combined": (4 * INCEPTION_V3, (5 * 2048 + 2) * CLASSES),
    "bilinear_cnn": (VGG16, (512 * 512 + 1) * CLASSES),
    "part_aligned_bilinear": (  # no biases before the norms, which would cancel them; the code has 512 and 128
        _googlenet_to_4e() + 832 * 512 + _openpose_to_stage_2() + 9 * 185 * 128,
        0,
    ),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_those_of_the_layer_sizes(name: str) -> None:
    model, criterion = _on_meta(name)
    assert (count_parameters(model), count_parameters(criterion)) == PARAMETERS[name]


def _taps(config: TrialConfig, images: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {tap.key: torch.randn(images, *tap.shape, generator=generator) for tap in config.offered_taps}


def _numbers(values: Tensor) -> Numbers:
    return np.asarray(values.detach().numpy(), dtype=np.float64)


def _cross_entropy(features: Tensor, classifier: Mapping[str, Tensor], labels: Numbers) -> float:
    """The mean over images of log Σ exp(logit) less the logit of the own class, written out."""
    logits = _numbers(features) @ _numbers(classifier["weight"]).T + _numbers(classifier["bias"])
    own = logits[np.arange(len(labels)), labels.astype(int)]
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - own))


def _classifiers(criterion: Criterion) -> list[dict[str, Tensor]]:
    layers = criterion.losses["identity"].classifiers  # type: ignore[union-attr]
    return [dict(layer.named_parameters()) for layer in layers]  # type: ignore[operator, union-attr]


@pytest.mark.parametrize("name", ["pcb", "pcb_rpp"])
def test_the_loss_of_pcb_is_the_sum_of_six_classifiers(name: str) -> None:
    config, labels = _published(name), np.array([0.0, 1.0, 1.0, 2.0])
    criterion, taps = _criterion(config, 5), _taps(config, 4)
    total, _ = criterion(taps, Targets(torch.from_numpy(labels).long()), None)
    parts = [taps[f"p6.part{number}@reduced"] for number in range(1, 7)]
    expected = sum(_cross_entropy(*pair, labels) for pair in zip(parts, _classifiers(criterion), strict=True))
    assert float(total.detach()) == pytest.approx(expected, rel=1e-6)


def test_the_combined_system_of_spreid_is_two_losses_and_two_vectors_of_unit_length() -> None:
    config, labels = _published("spreid_combined"), np.array([0.0, 1.0, 1.0, 2.0])
    criterion, taps = _criterion(config, 5), _taps(config, 4)
    total, _ = criterion(taps, Targets(torch.from_numpy(labels).long()), None)
    vectors = [taps[f"{name}_foreground.global@coarse"] for name in ("with", "without")]
    expected = sum(_cross_entropy(*pair, labels) for pair in zip(vectors, _classifiers(criterion), strict=True))
    assert float(total.detach()) == pytest.approx(expected, rel=1e-6)
    read = config.readout_taps("default")
    assert [tap.key for tap in read] == ["with_foreground.global@coarse", "without_foreground.global@coarse"]
    assert [tap.dim for tap in read] == [6144, 4096]
    assert config.readouts["default"].normalize == "blocks"


def test_the_grids_of_spreid_are_those_of_its_code() -> None:
    """A map of 14 × 4 cells at 512 × 170, which is enlarged to the parser's 30 × 30."""
    config = _published("spreid")
    assert backbone_config(config.model.backbone).map_size(config.data.image_size, 2) == (14, 4)  # type: ignore[attr-defined]
    assert config.model.grid((14, 4)) == (30, 30)  # type: ignore[attr-defined]
    second = _published("spreid_ft")
    assert backbone_config(second.model.backbone).map_size(second.data.image_size, 2) == (23, 6)  # type: ignore[attr-defined]
    assert second.model.grid((23, 6)) == (30, 30)  # type: ignore[attr-defined]


def test_images_of_spreid_are_eight_bit_numbers_less_the_mean() -> None:
    """As in datachef.py: `input_image -= meanchannel`, which lists blue, green, red, and no division."""
    weights = _published("spreid").model.weights  # type: ignore[attr-defined]
    pixels = np.array([[200.0, 100.0, 50.0], [0.0, 255.0, 7.0]])
    found = (pixels / 255 - weights.mean) / weights.std
    assert found == pytest.approx(pixels - [123.68, 116.779, 103.939], abs=1e-3)


def test_the_second_phase_of_spreid_goes_on_from_the_network_of_a_trial(cache: Path, tmp_path: Path) -> None:
    """Its network learns at .001 and its new classifier at .01, on images as the first phase had them."""
    over: dict[str, Any] = {
        "data": {"name": "synthetic", "preset": "unit", "image_size": [96, 32]},
        "model": {"backbone": "resnet10_thin", "backbone_shared": True, "weights": None},
        "training": {"images": 4, "report_every": 4, "batch": {"ids": 2, "per_id": 2}},
    }
    first = TrialConfig.model_validate({"recipe": "spreid", **over})
    network = build_model(first.model, image_size=(96, 32)).state_dict()
    said = Normalization(mean=(0.48, 0.46, 0.41), std=(1 / 255, 1 / 255, 1 / 255))
    trial = tmp_path / "trial"
    save(trial / "checkpoint", 1, network, {}, {}, said.as_metadata())
    close(trial / "checkpoint", keep=True)
    over["model"]["weights"] = str(trial)
    second = TrialConfig.model_validate({"recipe": "spreid_ft", **over})
    trainer = Trainer(second, open_trial_data(second, 1, cache), 1, torch.device("cpu"))
    found = trainer.model.state_dict()
    assert {name for name, value in network.items() if torch.equal(value, found[name])} == set(network)
    rates = {group["base_lr"]: len(group["params"]) for group in trainer._optimizer.param_groups}
    assert rates == {0.001: len(list(trainer.model.parameters())), 0.01: len(list(trainer.criterion.parameters()))}
    assert normalization_of(second.model) == said  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "iterations"), [("spreid", 200_000), ("spreid_ft", 50_000)])
def test_the_rates_of_spreid_fall_ten_times(name: str, iterations: int) -> None:
    training = _published(name).training
    assert training.images / training.batch.size == iterations
    factors = [learning_rate_factor(training.schedule, (tenth + 0.5) / 10) for tenth in range(10)]
    assert factors == pytest.approx([0.9**tenth for tenth in range(10)])


def test_the_vector_of_the_bilinear_cnn_is_the_root_of_the_product_at_unit_length() -> None:
    """The paper's √, whose slope is bounded near 0 in code; so on bright images."""
    config = _published("bilinear_cnn", model={"weights": None}, data={"name": "market1501", "image_size": [32, 32]})
    model = build_model(config.model, image_size=(32, 32)).eval()
    found: list[Tensor] = []
    model.get_submodule("first").register_forward_hook(lambda *seen: found.append(seen[2]))
    images = 1000 * torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    vector = _numbers(model(images)["bilinear.global@coarse"])
    places = _numbers(found[0]).reshape(2, 512, -1)
    expected = np.sqrt(np.einsum("bip,bjp->bij", places, places) / places.shape[2]).reshape(2, -1)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(vector - expected).max() < 1e-5


def test_the_loss_of_part_aligned_bilinear_is_the_mean_over_the_triplets_that_violate_the_margin() -> None:
    config, labels = _published("part_aligned_bilinear"), np.array([0, 0, 0, 1, 1, 2])
    generator = torch.Generator().manual_seed(1)
    vectors = torch.nn.functional.normalize(
        torch.randn(6, 512, generator=generator) + torch.from_numpy(labels)[:, None]
    )
    total, _ = _criterion(config, 3)({"bilinear.global@coarse": vectors}, Targets(torch.from_numpy(labels)), None)
    rows, excesses = _numbers(vectors), []
    for anchor, positive, negative in itertools.product(range(6), repeat=3):
        if anchor != positive and labels[anchor] == labels[positive] != labels[negative]:
            near, far = (float(((rows[anchor] - rows[other]) ** 2).sum()) for other in (positive, negative))
            excesses.append(max(0.0, near - far + 0.2))
    violating = [value for value in excesses if value > 0]
    assert 0 < len(violating) < len(excesses)
    assert float(total.detach()) == pytest.approx(sum(violating) / len(violating), rel=1e-5)


def test_the_rates_of_part_aligned_bilinear_are_those_of_its_code() -> None:
    """Epochs of 100 iterations: `lr` to the 200th, then × .2 for every 200 begun, of 750."""
    config = _published("part_aligned_bilinear")
    assert config.training.images == 750 * 100 * config.training.batch.size
    for epoch in (1, 200, 201, 399, 400, 599, 600, 750):
        expected = 1.0 if epoch <= 200 else 0.2 ** ((epoch - 200) // 200 + 1)
        assert learning_rate_factor(config.training.schedule, (epoch - 0.5) / 750) == pytest.approx(expected), epoch


def test_the_streams_of_part_aligned_bilinear_share_a_grid() -> None:
    config = _published("part_aligned_bilinear")
    grids = {backbone_config(name).map_size((160, 80), 1) for name in ("googlenet_caffe", "openpose")}
    assert grids == {(20, 10)}
    assert [tap.key for tap in config.offered_taps] == ["bilinear.global@coarse"]


def test_the_phases_of_refined_part_pooling_are_the_published_epochs() -> None:
    training = _published("pcb_rpp").training
    stripes, induction, everything = training.stages
    assert [stage.images / EPOCH for stage in training.stages] == [60, 5, 5]
    for epoch, rate in ((0, 0.1), (39, 0.1), (40, 0.01), (59, 0.01)):
        assert stripes.schedule is not None
        factor = learning_rate_factor(stripes.schedule, (epoch + 0.5) / 60)
        assert training.optimizer.lr * training.optimizer.new_lr * stripes.lr * factor == pytest.approx(rate)
    for stage in (induction, everything):
        factor = learning_rate_factor(stage.schedule or training.schedule, 0.99)
        assert training.optimizer.lr * training.optimizer.new_lr * stage.lr * factor == pytest.approx(0.01)


def test_the_classifier_of_the_bilinear_cnn_learns_before_the_network(cache: Path) -> None:
    over: dict[str, Any] = {
        "data": {"name": "synthetic", "preset": "unit", "image_size": [32, 32]},
        "model": {"backbone": "resnet10_thin", "weights": None},
        "training": {
            "images": 8,
            "report_every": 4,
            "batch": {"ids": 2, "per_id": 2},
            "stages": [{"name": "classifier", "images": 4, "train": [],
                        "optimizer": {"kind": "sgd", "lr": 1.0, "weight_decay": 1e-8}},
                       {"name": "all", "images": 4}],
        },
    }  # fmt: skip
    config = TrialConfig.model_validate({"recipe": "bilinear_cnn", **over})
    trainer = Trainer(config, open_trial_data(config, 1, cache), 1, torch.device("cpu"))
    seen = []
    for epoch in (1, 2):
        before = [value.detach().clone() for value in trainer.model.parameters()]
        heads = [value.detach().clone() for value in trainer.criterion.parameters()]
        trainer.train_epoch(epoch)
        (group,) = trainer._optimizer.param_groups
        assert any(not torch.equal(*pair) for pair in zip(trainer.criterion.parameters(), heads, strict=True))
        moved = any(not torch.equal(*pair) for pair in zip(trainer.model.parameters(), before, strict=True))
        seen.append((group["base_lr"], group["weight_decay"], moved))
    assert seen == [(1.0, 1e-8, False), (0.01, 1e-5, True)]
