"""Testing a trained trial again, and exporting its model."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from reid_search.data import open_tests
from reid_search.data.trained_on import trained_on
from reid_search.errors import RequestError
from reid_search.losses import build_loss
from reid_search.models import build_model
from reid_search.records import ReadoutResult, TrialFolder
from reid_search.records.files import write_json
from reid_search.study import DataConfig, ModelConfig, TrialConfig
from reid_search.study.trial.config import RESIZING
from reid_search.study.trial.normalization import IMAGENET, Normalization
from reid_search.study.trial.weights import kept_none
from reid_search.training import checkpoint
from reid_search.training.batches import memory_format
from reid_search.training.determinism import deterministic
from reid_search.training.measuring import rank, rank_each, readout_plans, readout_result


@dataclass(frozen=True)
class Measured:
    """What a trained trial measures on its own data or on others.

    Attributes:
        readouts: The measurements by readout.
        told: For each test, on which data set it was measured and under which rule; and what was left out.
        warnings: What makes these numbers say less than they seem to: people of other data that it was trained on.
    """

    readouts: dict[str, ReadoutResult]
    told: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def measure_again(folder: Path, device: str, data: DataConfig | None = None) -> Measured:
    """Test the trial in a folder on its own data, or on another data set.

    The normalisation of images belongs to the trial, the rule to the data set. A readout whose scorer looks at the
    whole gallery is left out where the rule ranks a part of it.

    Args:
        folder: The trial's folder, or its record.
        device: `cpu` or `cuda`.
        data: The other data set; its images are resized as the trial's are.

    Raises:
        RequestError: The trial kept no weights, or none of its readouts can be measured under the rule.
    """
    config, weights, normalization = _trained(folder)
    trained = config
    if data is not None:
        data = data.model_copy(update={name: getattr(config.data, name) for name in RESIZING})
        config = config.model_copy(update={"data": data})
    config, left_out = _measurable(config)
    heads = _heads(config, weights)
    tests = open_tests(config)
    images = {test.split: test.images for test in tests}
    model = build_model(_drawn(config.model), image_size=config.data.image_size)
    model.load_state_dict(_under("model.", weights))
    model.use_mode(config.training.resolved_stages[-1].mode)
    place = torch.device(device)
    model.to(place).to(memory_format=memory_format(place))
    plans = readout_plans(config)
    with deterministic(config.training.threads):
        results = rank_each(images, lambda found: rank(model, plans, found, place, heads, normalization))
    readouts = {
        name: readout_result(config, plan, images, {split: found[name] for split, found in results.items()})
        for name, plan in plans.items()
    }
    named = [test for test in tests if test.split != "test"] or tests
    warnings = trained_on(trained, [test.dataset for test in named]) if data is not None else []
    return Measured(readouts, (*map(str, named), *left_out), tuple(warnings))


def _measurable(config: TrialConfig) -> tuple[TrialConfig, list[str]]:
    """Return a trial with the readouts that the rule of its data set allows, and sentences about the others."""
    allowed = {name: readout for name, readout in config.readouts.items() if config.can_measure(readout)}
    why = "its scorer looks at the whole gallery, and the rule of the data set ranks a part of it"
    left_out = [f"readout '{name}' is left out: {why}" for name in config.readouts if name not in allowed]
    if not allowed:
        raise RequestError("; ".join(left_out))
    return config.model_copy(update={"readouts": allowed}), left_out


def trained_config(folder: Path) -> TrialConfig:
    """Return the config of the trial in a folder.

    Raises:
        RequestError: It is not a trial's folder.
    """
    content = TrialFolder(folder.parent if folder.is_file() else folder).config()
    if content is None:
        raise RequestError(f"{folder}: not a trial's folder (it holds no config.json)")
    return TrialConfig.model_validate(content["config"])


def export_model(folder: Path, target: Path) -> Path:
    """Write the weights of the model of the trial in a folder to `target`, and its config beside it as `.json`.

    Raises:
        RequestError: The trial kept no weights, or a file of this name exists.
    """
    config, weights, normalization = _trained(folder)
    if target.exists():
        raise RequestError(f"{target}: already exists; name another file")
    target.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"architecture": config.model.architecture, **normalization.as_metadata()}
    save_file(_under("model.", weights), target, metadata=metadata)
    write_json(target.with_suffix(".json"), config.model_dump(mode="json"))
    return target


def _drawn(config: ModelConfig) -> ModelConfig:
    """Return a model's config without its files of pretrained weights, which the trained ones replace anyway."""
    return config.model_copy(update=dict.fromkeys(config.pretrained))


def _trained(folder: Path) -> tuple[TrialConfig, dict[str, torch.Tensor], Normalization]:
    config = trained_config(folder)
    weights = checkpoint.final(TrialFolder(folder.parent if folder.is_file() else folder).checkpoints)
    if weights is None:
        raise RequestError(f"{folder}: {kept_none(folder.parent if folder.is_file() else folder)}")
    normalization = Normalization.of_file(weights) or IMAGENET
    return config, load_file(weights), normalization


def _under(prefix: str, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _heads(config: TrialConfig, weights: dict[str, torch.Tensor]) -> dict[str, nn.Module]:
    """Return the trained losses whose heads scorers use; such a head does not depend on the number of identities."""
    names = {readout.scorer.loss for readout in config.readouts.values() if readout.scorer and readout.scorer.loss}
    heads = {}
    for name in sorted(names):
        heads[name] = build_loss(config.losses[name], config.loss_taps(name), classes=1)
        heads[name].load_state_dict(_under(f"criterion.losses.{name}.", weights))
    return heads
