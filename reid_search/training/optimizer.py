"""The optimiser of a stage: which parameters train, and at which learning rate."""

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

import torch
from torch import nn
from torch.optim import Optimizer

from reid_search.losses import Criterion
from reid_search.models import ReidModel
from reid_search.study import StageConfig
from reid_search.study.trial.training import OptimizerConfig
from reid_search.training.patterns import is_named

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.LayerNorm, nn.GroupNorm)


def freeze(model: ReidModel, stage: StageConfig, may_train: Collection[str]) -> None:
    """Train the parameters that a stage names and freeze the others.

    Only parameters in `may_train` ever train: the architecture may fix some, such as the shift of a BNNeck.
    """
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_named(name, stage.train) and name in may_train)


def freeze_at_first(model: ReidModel, stage: StageConfig) -> None:
    """Freeze what a stage freezes at first; the optimiser, which is built before, skips what has no gradient."""
    for name, parameter in model.named_parameters():
        if is_named(name, stage.freeze):
            parameter.requires_grad_(False)


def set_mode(model: ReidModel) -> None:
    """Put a model into training mode, except modules whose parameters are all frozen."""
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()


def build_optimizer(
    config: OptimizerConfig, stage: StageConfig, model: ReidModel, criterion: Criterion, lr_multiplier: float = 1.0
) -> Optimizer:
    """Return the optimiser of a stage; each group keeps its unscheduled learning rate in `base_lr`.

    Args:
        config: The optimiser.
        stage: What trains.
        model: Its parameters.
        criterion: The losses' own parameters.
        lr_multiplier: Factor on every learning rate.
    """
    new, undecayed = model.new_parameters(), set() if config.decay_norms else _norms_and_biases(model, criterion)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in _training(model, criterion, stage):
        lr = (
            config.lr * lr_multiplier * stage.lr * (config.new_lr if name in new or name.startswith("losses.") else 1.0)
        )
        lr *= config.bias_lr if name.endswith("bias") else 1.0
        lr *= next((factor for pattern, factor in config.rates if fnmatchcase(name, pattern)), 1.0)
        decay = 0.0 if id(parameter) in undecayed else config.weight_decay
        groups.setdefault((lr, decay), []).append(parameter)
    listed = [
        {"params": parameters, "lr": lr, "base_lr": lr, "weight_decay": decay}
        for (lr, decay), parameters in groups.items()
    ]
    if config.kind == "sgd":
        return torch.optim.SGD(
            listed, momentum=config.momentum, weight_decay=config.weight_decay, nesterov=config.nesterov
        )
    kind = torch.optim.Adam if config.kind == "adam" else torch.optim.AdamW
    return kind(listed, weight_decay=config.weight_decay, amsgrad=config.amsgrad)


def set_learning_rate(optimizer: Optimizer, factor: float) -> None:
    """Set every group's learning rate to its `base_lr` times a factor."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor


def _training(model: ReidModel, criterion: Criterion, stage: StageConfig) -> Iterator[tuple[str, nn.Parameter]]:
    yield from ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)
    for name, loss in criterion.losses.items() if stage.train_losses else ():
        if stage.losses is None or name in stage.losses:
            yield from ((f"losses.{name}.{part}", parameter) for part, parameter in loss.named_parameters())


def _norms_and_biases(*modules: nn.Module) -> set[int]:
    """Return the identities of the parameters of normalisation layers, and of all biases."""
    found = {id(item) for module in modules for name, item in module.named_parameters() if name.endswith("bias")}
    layers = (layer for module in modules for layer in module.modules() if isinstance(layer, _NORMS))
    return found | {id(parameter) for layer in layers for parameter in layer.parameters()}
