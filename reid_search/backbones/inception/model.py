"""Inception-V3 in blocks."""

from collections import OrderedDict
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.backbones.backbone import Backbone, modules_of, timm_network
from reid_search.backbones.inception.config import InceptionConfig
from reid_search.backbones.weights import Weights

STEM = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Pool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "Pool2")


class Inception(Backbone):
    """Inception-V3 without its heads."""

    def set_last_stride(self, stride: int) -> None:
        """Give the branches of `Mixed_7a` another stride."""
        block = getattr(self, "Mixed_7a", None)
        if block is not None:
            block.set_stride(stride)


class Reduction(nn.Module):
    """`Mixed_7a` with a stride that can be changed, which timm's pooling cannot.

    Args:
        block: The block of timm.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        for name, layer in block.named_children():
            self.add_module(name, layer)
        self._stride = 2

    def set_stride(self, stride: int) -> None:
        """Change the stride of all three branches."""
        self._stride = stride
        for layer in ("branch3x3_2", "branch7x7x3_4"):
            cast("nn.Conv2d", self.get_submodule(f"{layer}.conv")).stride = (stride, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, 1280, h, w)`."""
        small, large = self._branch("branch3x3", features), self._branch("branch7x7x3", features)
        return torch.cat([small, large, functional.max_pool2d(features, 3, self._stride)], dim=1)

    def _branch(self, name: str, features: Tensor) -> Tensor:
        for layer, module in self.named_children():
            if layer.startswith(f"{name}_"):
                features = module(features)
        return features


def build(config: InceptionConfig, weights: Weights | None) -> Inception:
    """Build Inception-V3 with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network = timm_network(config, weights, head=("fc.", "AuxLogits."))
    network.Mixed_7a = Reduction(network.get_submodule("Mixed_7a"))
    stem = OrderedDict((name, network.get_submodule(name)) for name in STEM)
    for layer in stem.values():
        if isinstance(layer, nn.MaxPool2d):
            layer.ceil_mode = config.rounds_up
    blocks: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(stem))
    return Inception(blocks | modules_of(network, config.blocks(2)[1:]))
