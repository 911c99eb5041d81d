"""Instance norm in a ResNet (Pan et al. 2018), with the names of the authors' code."""

from typing import cast

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet


class InstanceBatchNorm(nn.Module):
    """Normalises the first half of the channels by instance, and the others by batch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.IN = nn.InstanceNorm2d(half, affine=True)
        self.BN = nn.BatchNorm2d(channels - half)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, C, h, w)`."""
        by_instance, by_batch = features.tensor_split((self.IN.num_features,), dim=1)
        return torch.cat([self.IN(by_instance.contiguous()), self.BN(by_batch.contiguous())], dim=1)


class NormedSum(nn.Module):
    """A block without down-sampling whose sum of residual and input is normalised by instance."""

    def __init__(self, block: BasicBlock | Bottleneck) -> None:
        super().__init__()
        for name, module in block.named_children():
            self.add_module(name, module)
        norms = [module for module in block.children() if isinstance(module, nn.BatchNorm2d)]
        self._steps = len(norms)
        self.IN = nn.InstanceNorm2d(norms[-1].num_features, affine=True)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, C, h, w)`."""
        residual = features
        for step in range(1, self._steps + 1):
            residual = self.get_submodule(f"bn{step}")(self.get_submodule(f"conv{step}")(residual))
            if step < self._steps:
                residual = residual.relu()
        return torch.relu(self.IN(residual + features))


def add_instance_norm(network: ResNet, kind: str) -> None:
    """Put instance norm into a ResNet: kind `a` into blocks, kind `b` after sums and into the stem."""
    if kind == "a":
        for block in (*network.layer1, *network.layer2, *network.layer3):
            block.bn1 = InstanceBatchNorm(_channels(block.bn1))
        return
    network.bn1 = nn.InstanceNorm2d(_channels(network.bn1), affine=True)
    for layer in (network.layer1, network.layer2):
        layer[-1] = NormedSum(cast("BasicBlock | Bottleneck", layer[-1]))


def _channels(norm: object) -> int:
    return cast("nn.BatchNorm2d", norm).num_features
