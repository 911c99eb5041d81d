"""Steps: which parameters train, how fast, on which images, against plain torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reid_search.data import Samples, TrialData, open_trial_data
from reid_search.errors import TrialFailure
from reid_search.study import TrialConfig
from reid_search.training.batches import targets_of, to_batch
from reid_search.training.trainer import Trainer

Content = Callable[..., dict[str, Any]]


def _trainer(content: dict[str, Any], cache: Path, seed: int = 1) -> tuple[Trainer, TrialData]:
    config = TrialConfig.model_validate(content)
    data = open_trial_data(config, seed, cache)
    return Trainer(config, data, seed, torch.device("cpu")), data


def _weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in trainer.model.named_parameters()}


def test_pixels_are_normalised_as_torchvision_does() -> None:
    from torchvision.transforms import v2

    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 6, 3), dtype=np.uint8)
    expected = v2.functional.normalize(
        torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    )
    torch.testing.assert_close(to_batch(Samples(pixels), torch.device("cpu")).images, expected)


def test_a_step_is_plain_sgd_on_the_sum_of_weighted_losses(cache: Path, trial_content: Content) -> None:
    training = {
        "images": 12,
        "batch": {"ids": 4, "per_id": 3},
        "optimizer": {"kind": "sgd", "lr": 0.1, "momentum": 0.0, "weight_decay": 0.01},
        "schedule": {"kind": "constant", "warmup": 0.0},
        "augment": {"flip": 0.0},
    }
    losses = {"identity": {"weight": 2.0}, "triplet": {"weight": 0.5, "margin": "soft"}}
    content = trial_content(training=training, losses=losses)
    trainer, data = _trainer(content, cache)
    twin, _ = _trainer(content, cache)
    stage = data.stages[0]
    rows = stage.sampler.batch(0)
    twin.model.train()
    batch = to_batch(stage.images.at(rows), torch.device("cpu"))
    taps, targets = twin.model(batch), targets_of(batch, stage.classes[rows])
    values = {name: loss(taps, targets) for name, loss in twin.criterion.losses.items()}
    (2.0 * values["identity"] + 0.5 * values["triplet"]).backward()
    measured = trainer.train_epoch(1)
    assert measured["loss/identity"] == pytest.approx(values["identity"].item(), rel=1e-6)
    assert measured["loss"] == pytest.approx((2 * values["identity"] + 0.5 * values["triplet"]).item(), rel=1e-6)
    for (name, after), before in zip(trainer.model.named_parameters(), twin.model.parameters(), strict=True):
        gradient = torch.zeros_like(before) if before.grad is None else before.grad
        expected = before - 0.1 * (gradient + 0.01 * before) if before.grad is not None else before
        torch.testing.assert_close(after, expected, msg=name)


def test_a_stage_trains_what_it_names_and_frozen_norms_keep_their_statistics(
    cache: Path, trial_content: Content
) -> None:
    stages = [{"name": "heads", "images": 24, "train": ["branches.*.whole.*", "branches.*.stripes.*"]}]
    trainer, _ = _trainer(trial_content(training={"batch": {"ids": 4, "per_id": 3}, "stages": stages}), cache)
    before, statistics = _weights(trainer), {k: v.clone() for k, v in trainer.model.named_buffers()}
    trainer.train_epoch(1)
    for name, value in _weights(trainer).items():
        trains = ".whole." in name or ".stripes." in name
        assert torch.equal(value, before[name]) is not trains, name
    for name, value in trainer.model.named_buffers():
        if name.startswith("shared.") or ".blocks." in name:
            assert torch.equal(value, statistics[name]), name


def test_what_the_losses_own_rests_where_a_stage_says_so(cache: Path, trial_content: Content) -> None:
    stages = [{"name": "rest", "images": 24, "train_losses": False}]
    losses = {"centre": {"kind": "centre", "on": ["global@reduced"]}}
    training = {"batch": {"ids": 4, "per_id": 3}, "stages": stages}
    trainer, _ = _trainer(trial_content(training=training, losses=losses), cache)
    before = {name: value.clone() for name, value in trainer.criterion.state_dict().items()}
    model = _weights(trainer)
    trainer.train_epoch(1)
    assert all(torch.equal(value, before[name]) for name, value in trainer.criterion.state_dict().items())
    assert any(not torch.equal(value, model[name]) for name, value in _weights(trainer).items())


def test_a_stage_s_losses_are_the_only_ones_at_work(cache: Path, trial_content: Content) -> None:
    stages = [{"name": "a", "images": 12, "losses": ["triplet"]}, {"name": "b", "images": 12}]
    training = {"batch": {"ids": 4, "per_id": 3}, "stages": stages, "report_every": 12}
    trainer, _ = _trainer(trial_content(training=training), cache)
    assert set(trainer.train_epoch(1)) == {"loss", "loss/triplet"}
    assert set(trainer.train_epoch(2)) == {"loss", "loss/triplet", "loss/identity"}
    assert trainer.done


def test_new_and_pretrained_parameters_have_their_own_rates(
    cache: Path, trial_content: Content, tmp_path: Path
) -> None:
    from safetensors.torch import save_file
    from torchvision.models import resnet18

    save_file({k: v.contiguous() for k, v in resnet18(weights=None).state_dict().items()}, tmp_path / "w.safetensors")
    model = {"architecture": "baseline", "backbone": "resnet18", "weights": str(tmp_path / "w.safetensors")}
    training = {"images": 24, "batch": {"ids": 4, "per_id": 3}, "optimizer": {"lr": 1e-3, "new_lr": 10.0}}
    trainer, _ = _trainer(trial_content(model=model, training=training), cache)
    new = trainer.model.new_parameters()
    rates = {id(item): group["base_lr"] for group in trainer._optimizer.param_groups for item in group["params"]}
    for name, item in trainer.model.named_parameters():
        if item.requires_grad:
            assert rates[id(item)] == pytest.approx(1e-2 if name in new else 1e-3), name
    assert {rates[id(item)] for item in trainer.criterion.parameters()} == {1e-2}


def test_single_parameters_have_rates_of_their_own_and_the_first_pattern_counts(
    cache: Path, trial_content: Content
) -> None:
    rates = [["losses.identity.*.weight", 20.0], ["losses.*", 3.0], ["*.whole.*", 0.5]]
    trainer, _ = _trainer(trial_content(training={"optimizer": {"lr": 0.01, "rates": rates}}), cache)
    found = {id(item): group["base_lr"] for group in trainer._optimizer.param_groups for item in group["params"]}
    for name, item in trainer.model.named_parameters():
        if item.requires_grad:
            assert found[id(item)] == pytest.approx(0.005 if ".whole." in name else 0.01), name
    for name, item in trainer.criterion.named_parameters():
        assert found[id(item)] == pytest.approx(0.2 if "identity" in name and name.endswith("weight") else 0.03), name
    with pytest.raises(TrialFailure, match="rates\\.0: 'heads' names no parameter of the model or of a loss"):
        _trainer(trial_content(training={"optimizer": {"rates": [["heads", 2.0]]}}), cache)


def test_a_stage_may_have_an_optimiser_and_a_schedule_of_its_own(cache: Path, trial_content: Content) -> None:
    """Plain steps, then Adam; each stage's rate follows its own schedule."""
    stages = [
        {"name": "base", "images": 48, "schedule": {"kind": "step", "warmup": 0.0, "milestones": [0.5], "gamma": 0.1}},
        {"name": "all", "images": 24, "optimizer": {"kind": "adam", "lr": 1e-4, "amsgrad": True}},
    ]
    training = {
        "batch": {"ids": 4, "per_id": 3},
        "stages": stages,
        "report_every": 12,
        "optimizer": {"kind": "sgd", "lr": 0.01},
        "schedule": {"kind": "constant", "warmup": 0.0},
    }
    trainer, _ = _trainer(trial_content(training=training), cache)
    rates = []
    for epoch in range(1, 7):
        trainer.train_epoch(epoch)
        rates.append((type(trainer._optimizer).__name__, trainer._optimizer.param_groups[0]["lr"]))
    expected = [("SGD", 0.01)] * 2 + [("SGD", 0.001)] * 2 + [("Adam", 1e-4)] * 2
    assert [name for name, _ in rates] == [name for name, _ in expected]
    assert [rate for _, rate in rates] == pytest.approx([rate for _, rate in expected])
    assert trainer._optimizer.param_groups[0]["amsgrad"]


def test_training_on_crops_tests_whole_images(cache: Path, trial_content: Content) -> None:
    content = trial_content(
        model={"architecture": "baseline", "backbone": "resnet10_thin"}, training={"augment": {"crop": [24, 12]}}
    )
    trainer, data = _trainer(content, cache)
    stage = data.stages[0]
    assert trainer._batch()[0].image_size == (24, 12)
    assert stage.images.at(stage.sampler.batch(0)).pixels.shape[1:3] == (32, 16)


def test_switching_a_loss_on_leaves_the_model_s_first_values_alone(cache: Path, trial_content: Content) -> None:
    both, _ = _trainer(trial_content(), cache)
    one, _ = _trainer(trial_content(losses={"triplet": {"on": []}}), cache)
    for name, value in _weights(both).items():
        assert torch.equal(value, _weights(one)[name]), name


def test_clipping_bounds_the_update(cache: Path, trial_content: Content) -> None:
    optimizer = {"kind": "sgd", "lr": 1.0, "momentum": 0.0, "weight_decay": 0.0, "clip_norm": 0.01}
    training = {
        "images": 12,
        "batch": {"ids": 4, "per_id": 3},
        "optimizer": optimizer,
        "schedule": {"kind": "constant", "warmup": 0.0},
    }
    trainer, _ = _trainer(trial_content(training=training), cache)
    modules = (trainer.model, trainer.criterion)
    before = [item.detach().clone() for module in modules for item in module.parameters()]
    trainer.train_epoch(1)
    after = [item.detach() for module in modules for item in module.parameters()]
    moved = torch.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(after, before, strict=True)))
    assert moved.item() == pytest.approx(0.01, rel=1e-3)


def test_norms_and_biases_may_be_left_undecayed_and_biases_learn_at_a_rate_of_their_own(
    cache: Path, trial_content: Content
) -> None:
    optimizer = {"kind": "sgd", "lr": 0.1, "weight_decay": 0.01, "decay_norms": False, "bias_lr": 2.0, "nesterov": True}
    trainer, _ = _trainer(trial_content(training={"batch": {"ids": 4, "per_id": 3}, "optimizer": optimizer}), cache)
    norms = {
        id(parameter)
        for module in trainer.model.modules() if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d)
        for parameter in module.parameters()
    }  # fmt: skip
    settings = {id(item): group for group in trainer._optimizer.param_groups for item in group["params"]}
    seen = set()
    for module in (trainer.model, trainer.criterion):
        for name, parameter in module.named_parameters():
            if id(parameter) not in settings:
                continue
            group, is_bias = settings[id(parameter)], name.endswith("bias")
            assert group["weight_decay"] == (0.0 if is_bias or id(parameter) in norms else 0.01), name
            assert group["base_lr"] == pytest.approx(0.2 if is_bias else 0.1), name
            assert group["nesterov"]
            seen.add((is_bias, id(parameter) in norms))
    assert seen >= {(False, False), (False, True), (True, True)}


def test_one_multiplier_is_on_every_rate_also_of_a_stage_with_its_own_optimiser(
    cache: Path, trial_content: Content
) -> None:
    stages = [
        {"name": "a", "images": 12, "lr": 0.5},
        {"name": "b", "images": 12, "optimizer": {"kind": "sgd", "lr": 0.2, "bias_lr": 2.0}},
    ]
    training = {"batch": {"ids": 4, "per_id": 3}, "report_every": 12, "optimizer": {"lr": 0.01}, "stages": stages}
    rates = []
    for multiplier in (1.0, 3.0):
        trainer, _ = _trainer(trial_content(training={**training, "lr_multiplier": multiplier}), cache)
        first = sorted({group["base_lr"] for group in trainer._optimizer.param_groups})
        trainer.train_epoch(1)
        trainer.train_epoch(2)
        rates.append(first + sorted({group["base_lr"] for group in trainer._optimizer.param_groups}))
    assert rates == [pytest.approx([0.005, 0.2, 0.4]), pytest.approx([0.015, 0.6, 1.2])]


def test_what_is_frozen_at_first_begins_to_learn_at_its_image_also_when_resumed(
    cache: Path, trial_content: Content
) -> None:
    stage = {"name": "main", "images": 48, "freeze": ["shared.*"], "frozen_images": 24}
    training = {"batch": {"ids": 4, "per_id": 3}, "report_every": 12, "stages": [stage]}
    content = trial_content(training=training)
    trainer, _ = _trainer(content, cache)
    free, _ = _trainer(trial_content(training={**training, "stages": [{"name": "main", "images": 48}]}), cache)
    before = _weights(trainer)
    for epoch in (1, 2, 3, 4):
        trainer.train_epoch(epoch)
        moved = {name for name, value in _weights(trainer).items() if not torch.equal(value, before[name])}
        assert any(not name.startswith("shared.") for name in moved)
        assert any(name.startswith("shared.") for name in moved) is (epoch > 2)
        free.train_epoch(epoch)
        rates = [[group["lr"] for group in one._optimizer.param_groups] for one in (trainer, free)]
        assert rates[0] == rates[1]  # one schedule, which does not begin anew
        resumed, _ = _trainer(content, cache)
        weights, progress = trainer.state()
        resumed.load_weights(weights)
        resumed.load_progress(progress)
        if epoch < 4:
            again, _ = _trainer(content, cache)
            again.load_weights(weights)
            again.load_progress(progress)
            twin = again.train_epoch(epoch + 1)
            assert twin == resumed.train_epoch(epoch + 1)


def test_freezing_what_there_is_not_is_refused(cache: Path, trial_content: Content) -> None:
    stage = {"name": "main", "images": 48, "freeze": ["backbne.*"], "frozen_images": 24}
    with pytest.raises(TrialFailure, match="freeze: 'backbne\\.\\*' names no parameter of the model that trains"):
        _trainer(trial_content(training={"batch": {"ids": 4, "per_id": 3}, "stages": [stage]}), cache)


@pytest.mark.parametrize("order", ["covering", "shuffled", "consecutive"])
def test_a_trial_learns_from_batches_of_any_order_in_bf16(cache: Path, trial_content: Content, order: str) -> None:
    training = {"images": 24, "precision": "bf16", "batch": {"ids": 4, "per_id": 3, "order": order}}
    trainer, data = _trainer(trial_content(training=training), cache)
    before = _weights(trainer)
    assert np.isfinite(trainer.train_epoch(1)["loss"])
    after = _weights(trainer)
    assert any(not torch.equal(value, before[name]) for name, value in after.items())
    assert all(value.dtype == torch.float32 for value in after.values())
    assert data.stages[0].sampler.batch(0).shape == (12,)


def test_a_stage_may_have_a_schedule_of_its_own(cache: Path, trial_content: Content) -> None:
    stages = [
        {"name": "own", "images": 48, "schedule": {"kind": "step", "warmup": 0.0, "milestones": [0.5]}},
        {"name": "other", "images": 24, "lr": 0.5},
    ]
    training = {
        "batch": {"ids": 4, "per_id": 3},
        "report_every": 12,
        "optimizer": {"lr": 1e-3},
        "schedule": {"kind": "constant", "warmup": 0.0},
        "stages": stages,
    }
    trainer, _ = _trainer(trial_content(training=training), cache)
    rates = []
    for epoch in range(1, 7):
        trainer.train_epoch(epoch)
        rates.append({group["lr"] for group in trainer._optimizer.param_groups})
    assert rates == [{1e-3}, {1e-3}, {1e-4}, {1e-4}, {5e-4}, {5e-4}]
