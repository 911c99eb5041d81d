"""A backbone as a list of named blocks, so that it can be cut between any two."""

from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Self, cast

from torch import Tensor, nn

from reid_search.backbones.config import BackboneConfig, Block, backbone_config
from reid_search.backbones.weights import Pretrained, Weights, load_weights
from reid_search.errors import StudyError
from reid_search.study import BACKBONES
from reid_search.study.trial.weights import WeightsConfig, naming


class Backbone(nn.Sequential):
    """Blocks from images `(B, 3, H, W)` to a map `(B, C, h, w)`, or a run of such blocks.

    What passes between two blocks is the backbone's own affair; `as_map` shows it as a map.

    Attributes:
        pretrained: What it took from a file of weights; None where all were drawn.
    """

    pretrained: Pretrained | None = None

    def set_last_stride(self, stride: int) -> None:
        """Change the stride of the last block that has one; weights stay, and so does a run without this block.

        A backbone whose config lists one last stride alone leaves this as it is.
        """

    def as_map(self, features: Tensor) -> Tensor:
        """Return what passes between two blocks as a map `(B, C, h, w)`."""
        return features

    def cut(self, count: int) -> tuple[Self, Self]:
        """Return the first `count` blocks, and the others."""
        parts = cast("Self", self[:count]), cast("Self", self[count:])
        for part in parts:
            part.pretrained = self.pretrained
        return parts


def build_backbone(
    name: str, weights: WeightsConfig | Path | None, last_stride: int, *, entry: str = "weights"
) -> Backbone:
    """Build a backbone with freshly drawn weights, or with those of a file.

    Args:
        name: The backbone.
        weights: The file, or what a study says of it.
        last_stride: Stride of the last block that has one.
        entry: The entry of the model's config that names the file, for messages.

    Raises:
        StudyError: The weights cannot be read or do not fit, or the backbone cannot have this last stride.
    """
    config = backbone_config(name)
    if last_stride not in config.last_strides:
        allowed = " or ".join(map(str, config.last_strides))
        raise StudyError(f"last stride {last_stride}: that of {name} cannot be changed; allowed: {allowed}")
    with naming(entry):
        source = None if weights is None else Weights(config, WeightsConfig.model_validate(weights))
        backbone = cast("Backbone", BACKBONES.work_module(config).build(config, source))
        if source is not None:
            backbone.pretrained = source.finish(backbone)
    backbone.set_last_stride(last_stride)
    return backbone


def modules_of(network: nn.Module, blocks: Iterable[Block]) -> OrderedDict[str, nn.Module]:
    """Return the modules of a source network that are the blocks of a backbone, by the blocks' names."""
    return OrderedDict((block.name, network.get_submodule(block.path)) for block in blocks)


def timm_network(
    config: BackboneConfig, weights: Weights | None, *, head: tuple[str, ...], **options: object
) -> nn.Module:
    """Build the network that timm has under a backbone's name, or that of its source.

    Args:
        config: The backbone's config.
        weights: The file of its weights; None draws them.
        head: Prefixes of the tensors of its head.
        options: What timm's function takes besides.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    import timm  # takes seconds, which other backbones need not wait for

    network: nn.Module = timm.create_model(config.source_name, pretrained=False, num_classes=0, **options)
    if weights is not None:
        load_weights(network, config, weights, but=head)
    return network
