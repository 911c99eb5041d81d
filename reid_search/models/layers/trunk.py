"""A whole backbone under one name, for models that do not split it."""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from reid_search.models.layers.backbone import build_blocks, set_last_stride
from reid_search.models.model import ReidModel


def build_trunk(backbone: str, weights: Path | None, last_stride: int) -> nn.Sequential:
    """Return a backbone as far as its last map.

    Args:
        backbone: Name of the backbone.
        weights: File with pretrained weights.
        last_stride: Stride of `layer4`.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    blocks = build_blocks(backbone, weights)
    set_last_stride(blocks, last_stride)
    return blocks


def mark_trunks(model: ReidModel, weights: Mapping[str, Path | None]) -> None:
    """Remember which parameters came from a file.

    Args:
        model: The model.
        weights: File of each submodule's weights by the submodule's name; None where they were drawn.
    """
    prefixes = tuple(f"{name}." for name, path in weights.items() if path is not None)
    model.mark_pretrained([name for name, _ in model.named_parameters() if name.startswith(prefixes)])
