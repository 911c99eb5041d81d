"""ResNets in blocks."""

from collections import OrderedDict

from torch import nn
from torchvision.models import resnet
from torchvision.models.resnet import BasicBlock, Bottleneck

from reid_search.backbones.backbone import Backbone, modules_of
from reid_search.backbones.resnet.config import STAGES, ResNetConfig
from reid_search.backbones.resnet.instance_norm import add_instance_norm
from reid_search.backbones.weights import Weights, load_weights


class ResNet(Backbone):
    """A ResNet without its head."""

    def set_last_stride(self, stride: int) -> None:
        """Give the first block of `layer4` another stride."""
        block = getattr(self, "layer4_0", None)
        if block is not None:
            first = block.conv2 if isinstance(block, Bottleneck) else block.conv1
            for convolution in (first, block.downsample[0]):
                convolution.stride = (stride, stride)


def build(config: ResNetConfig, weights: Weights | None) -> ResNet:
    """Build a ResNet with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network = ThinResNet() if config.name == "resnet10_thin" else getattr(resnet, config.plain)(weights=None)
    if config.ibn:
        add_instance_norm(network, config.ibn)
    if weights is not None:
        load_weights(network, config, weights, but=("fc.",))
    stem = [network.conv1, network.bn1, nn.ReLU(inplace=True)]
    if hasattr(network, "maxpool"):
        stem.append(nn.MaxPool2d(3, stride=2, ceil_mode=True) if config.rounds_up else network.maxpool)
    blocks: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(*stem))
    return ResNet(blocks | modules_of(network, config.blocks(1)[1:]))


class ThinResNet(nn.Module):
    """A ResNet of four basic blocks and few channels for small images; its stem does not pool."""

    def __init__(self) -> None:
        super().__init__()
        stages = STAGES["resnet10_thin"]
        width = stages.stem
        self.conv1 = nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for index, wider in enumerate(stages.channels, start=1):
            self.add_module(f"layer{index}", nn.Sequential(_basic_block(width, wider, stride=1 if index == 1 else 2)))
            width = wider
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def _basic_block(width: int, wider: int, stride: int) -> BasicBlock:
    downsample = None
    if stride != 1 or width != wider:
        downsample = nn.Sequential(nn.Conv2d(width, wider, 1, stride=stride, bias=False), nn.BatchNorm2d(wider))
    return BasicBlock(width, wider, stride=stride, downsample=downsample)
