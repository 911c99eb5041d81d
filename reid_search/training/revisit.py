"""Testing a trained trial again, and exporting its model."""

from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from reid_search.data import open_trial_data
from reid_search.errors import RequestError
from reid_search.losses import build_loss
from reid_search.models import build_model
from reid_search.records import ReadoutResult, TrialFolder
from reid_search.records.files import write_json
from reid_search.study import DATASETS, DataConfig, ModelConfig, TrialConfig
from reid_search.study.component import absolute
from reid_search.study.trial.normalization import IMAGENET, Normalization
from reid_search.training import checkpoint
from reid_search.training.batches import memory_format
from reid_search.training.determinism import deterministic
from reid_search.training.measuring import rank, rank_each, readout_plans, readout_result


def measure_again(folder: Path, data: Path | None, device: str) -> dict[str, ReadoutResult]:
    """Test the trial in a folder on the test split of its own data set, or of another one.

    `data` is the folder of another data set, in the layout of its own or, if that is drawn, of Market-1501; `device` is
    `cpu` or `cuda`.

    Raises:
        RequestError: The trial kept no weights.
    """
    config, weights, normalization = _trained(folder)
    heads = _heads(config, weights)
    if data is not None:
        config = config.model_copy(update={"data": _read_from(config.data, data)})
    images = {split: found for split, found in open_trial_data(config, seed=0).sets.items() if split != "val"}
    model = build_model(_drawn(config.model), image_size=config.data.image_size)
    model.load_state_dict(_under("model.", weights))
    model.use_mode(config.training.resolved_stages[-1].mode)
    place = torch.device(device)
    model.to(place).to(memory_format=memory_format(place))
    plans = readout_plans(config)
    with deterministic(config.training.threads):
        results = rank_each(images, lambda found: rank(model, plans, found, place, heads, normalization))
    return {
        name: readout_result(plan, images, {split: found[name] for split, found in results.items()})
        for name, plan in plans.items()
    }


def _read_from(own: DataConfig, root: Path) -> DataConfig:
    """Return the data set at another place: read as the trial's own, or in the layout of Market-1501."""
    if any("root" in use.data.places for use in own.sets):
        return own.at(root).model_copy(update={"holdout": 0.0})
    other = {"name": "market1501", "root": str(absolute(root)), "image_size": own.image_size, "holdout": 0.0}
    return cast("DataConfig", DATASETS.validate(other))


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
    trial = TrialFolder(folder.parent if folder.is_file() else folder)
    content = trial.config()
    if content is None:
        raise RequestError(f"{folder}: not a trial's folder (it holds no config.json)")
    weights = checkpoint.final(trial.checkpoints)
    if weights is None:
        raise RequestError(f"{folder}: kept no weights; run its study with `keep: all`, or train it by itself")
    normalization = Normalization.of_file(weights) or IMAGENET
    return TrialConfig.model_validate(content["config"]), load_file(weights), normalization


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
