"""The first two stages of OpenPose in blocks, with the names of its layers."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from reid_search.backbones.backbone import Backbone
from reid_search.backbones.openpose.config import FEATURES, JOINTS, LIMBS, OpenPoseConfig
from reid_search.backbones.weights import Weights, load_weights

_VGG = {
    "conv1": (64, 64),
    "conv2": (128, 128),
    "conv3": (256, 256, 256, 256),
    "conv4": (512, 512, 256, FEATURES),
}
_OUTPUTS = {"L1": LIMBS, "L2": JOINTS}


class OpenPose(Backbone):
    """OpenPose's front end and its first two stages."""


class Layer(NamedTuple):
    """A convolution: its name, the channels that it returns, and its kernel."""

    name: str
    channels: int
    kernel: int


class Estimator(nn.Module):
    """A stage: limbs and joints, each by convolutions of its own, beside the features that they share.

    Args:
        before: Channels of what it reads, of which the last `FEATURES` are the features.
        layers: The convolutions to limbs, and those to joints.
    """

    def __init__(self, before: int, layers: Sequence[Sequence[Layer]]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_convolutions(before, branch, open_end=True) for branch in layers)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, 38 + 19 + 128, h, w)`."""
        return torch.cat([*(branch(features) for branch in self.branches), features[:, -FEATURES:]], dim=1)


def build(config: OpenPoseConfig, weights: Weights | None) -> OpenPose:
    """Build it with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    front = nn.Sequential()
    before = 3
    for stage, widths in _VGG.items():
        if len(front):
            front.add_module(f"pool_{stage}", nn.MaxPool2d(2, stride=2, ceil_mode=True))
        for name, module in _convolutions(before, list(_front(stage, widths))).named_children():
            front.add_module(name, module)
        before = widths[-1]
    first = Estimator(FEATURES, [[*_first(branch)] for branch in _OUTPUTS])
    second = Estimator(LIMBS + JOINTS + FEATURES, [[*_second(branch)] for branch in _OUTPUTS])
    if weights is not None:
        network = nn.Module()
        for part in (front, *first.branches, *second.branches):
            for name, module in part.named_children():
                network.add_module(name, module)
        load_weights(network, config, weights, but=("Mconv1_stage3", "pose1.", "bn."))
    return OpenPose(OrderedDict(features=front, stage1=first, stage2=second))


def _front(stage: str, widths: Sequence[int]) -> Iterator[Layer]:
    for number, width in enumerate(widths, start=1):
        own = stage == "conv4" and number > 2
        yield Layer(f"{stage}_{number}{'_CPM' if own else ''}", width, 3)


def _first(branch: str) -> Iterator[Layer]:
    for number, (width, kernel) in enumerate([(128, 3)] * 3 + [(512, 1), (_OUTPUTS[branch], 1)], start=1):
        yield Layer(f"conv5_{number}_CPM_{branch}", width, kernel)


def _second(branch: str) -> Iterator[Layer]:
    for number, (width, kernel) in enumerate([(128, 7)] * 5 + [(128, 1), (_OUTPUTS[branch], 1)], start=1):
        yield Layer(f"Mconv{number}_stage2_{branch}", width, kernel)


def _convolutions(before: int, layers: Sequence[Layer], *, open_end: bool = False) -> nn.Sequential:
    """Return convolutions with a ReLU after each, or, with an open end, after each but the last."""
    found = nn.Sequential()
    for index, layer in enumerate(layers):
        convolution = nn.Conv2d(before, layer.channels, layer.kernel, padding=layer.kernel // 2)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
        found.add_module(layer.name, convolution)
        if not (open_end and index == len(layers) - 1):
            found.add_module(f"relu_{layer.name}", nn.ReLU())
        before = layer.channels
    return found
