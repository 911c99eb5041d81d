"""How published code names a network's tensors where it does not keep the names of the network's source: data.

The names were read in the authors' code: microsoft/Swin-Transformer, tinyvision/SOLIDER-REID, openai/CLIP and
Syliz517/CLIP-ReID, damo-cv/TransReID, CASIA-IVA-Lab/PASS-reID, JDAI-CV/fast-reid.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from reid_search.study.trial.normalization import CLIP, HALVES, Normalization

_MOST_BLOCKS = 36  # of a stage of a ResNet (152 layers)
_BRANCH = "BRANCH"


@dataclass(frozen=True)
class Published:
    """The names that published code gives the tensors of a network.

    Attributes:
        source: Whose they are.
        marks: Patterns of names, each of which every such file has.
        renamed: A name's pattern and what it becomes, as in `re.sub`; the first that fits, and others stay as they are.
        branches: Copies of the last blocks, of which one is taken (`BRANCH` in a pattern); the first by default.
        unfolded: Pattern of the tensors whose channels `unfold` orders, which are put into the order of the source.
        before: Name of a tensor that is put in front of another's rows, by the other's name in the network.
        backbone: The one backbone that these weights were trained in; empty where any of the family will do.
        lacking: What the others lack.
        normalization: With which the authors trained, where it is not ImageNet's, by a prefix of their names; under the
            empty prefix for all others.
    """

    source: str
    marks: tuple[str, ...]
    renamed: Mapping[str, str]
    branches: tuple[str, ...] = ()
    unfolded: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    backbone: str = ""
    lacking: str = ""
    normalization: Mapping[str, Normalization] = field(default_factory=dict)

    def names(self, given: Mapping[str, str], branch: str) -> dict[str, str] | None:
        """Return names in the file by names in the network; None where it is no file of this kind.

        Args:
            given: Names in the file, by what they are without a prefix.
            branch: The branch to take, one of `branches`, or empty.
        """
        if not all(any(re.match(mark, name) for name in given) for mark in self.marks):
            return None
        rules = [(re.compile(pattern.replace(_BRANCH, branch)), new) for pattern, new in self.renamed.items()]
        return {_renamed(name, rules): place for name, place in given.items()}

    def trained_with(self, prefixes: Sequence[str]) -> Normalization | None:
        """Return the normalisation of the authors, whose names have these prefixes; None where it is ImageNet's."""
        return next((item for prefix, item in self.normalization.items() if prefix in ("", *prefixes)), None)

    def places(self, name: str, place: str) -> tuple[str, ...]:
        """Return the names in the file of what makes up the tensor that a network has under `name`."""
        if name not in self.before:
            return (place,)
        return place.removesuffix(name) + self.before[name], place

    def value(self, name: str, parts: Sequence[Tensor]) -> Tensor:
        """Return the tensor that a network has under `name`, made of these parts."""
        value = _one_after_another(parts) if len(parts) > 1 else parts[0]
        return _as_merged(value) if self.unfolded and re.search(self.unfolded, name) else value


def _renamed(name: str, rules: list[tuple[re.Pattern[str], str]]) -> str:
    for pattern, new in rules:
        if pattern.match(name):
            return pattern.sub(new, name, count=1)
    return name


def _one_after_another(tables: Sequence[Tensor]) -> Tensor:
    """Return the table with the rows of all, each `(1, P, C)`."""
    return torch.cat(list(tables), dim=1)


def _as_merged(value: Tensor) -> Tensor:
    """Put the 4·C inputs of a patch merging from the order of `unfold` into that of the authors of Swin.

    `unfold` goes through the channels, and in each through the rows of 2×2 cells; the authors go through the cells,
    column by column, and in each through the channels.
    """
    *outputs, inputs = value.shape
    cells = value.reshape(*outputs, inputs // 4, 4)[..., [0, 2, 1, 3]]
    return cells.transpose(-1, -2).reshape(value.shape)


def _later(pattern: str, new: str, count: int) -> dict[str, str]:
    """Return rules that raise the number of a module by one."""
    return {pattern.format(number): new.format(number + 1) for number in range(count)}


PUBLISHED = (
    Published(
        source="Swin-Transformer",
        marks=(r"layers\.0\.downsample\.reduction\.",),  # timm has the downsampling in the stage after it
        renamed=_later(r"layers\.{}\.downsample\.", "layers.{}.downsample.", 3),
    ),
    Published(
        source="SOLIDER",
        marks=(r"stages\.0\.blocks\.0\.attn\.w_msa\.qkv\.", r"patch_embed\.projection\."),
        renamed={
            r"patch_embed\.projection\.": "patch_embed.proj.",
            **_later(r"stages\.{}\.downsample\.", "layers.{}.downsample.", 3),
            r"stages\.(\d+)\.blocks\.(\d+)\.attn\.w_msa\.": r"layers.\1.blocks.\2.attn.",
            r"stages\.(\d+)\.blocks\.(\d+)\.ffn\.layers\.0\.0\.": r"layers.\1.blocks.\2.mlp.fc1.",
            r"stages\.(\d+)\.blocks\.(\d+)\.ffn\.layers\.1\.": r"layers.\1.blocks.\2.mlp.fc2.",
            r"stages\.": "layers.",
            r"norm3\.": "norm.",
        },
        unfolded=r"\.downsample\.(reduction|norm)\.",
        normalization={"": HALVES},
    ),
    Published(
        source="CLIP",
        marks=(r"transformer\.resblocks\.0\.attn\.in_proj_weight$", r"ln_pre\.weight$"),
        renamed={
            r"class_embedding$": "cls_token",
            r"positional_embedding$": "pos_embed",
            r"conv1\.": "patch_embed.proj.",
            r"ln_pre\.": "norm_pre.",
            r"ln_post\.": "norm.",
            r"transformer\.resblocks\.(\d+)\.ln_([12])\.": r"blocks.\1.norm\2.",
            r"transformer\.resblocks\.(\d+)\.attn\.in_proj_": r"blocks.\1.attn.qkv.",
            r"transformer\.resblocks\.(\d+)\.attn\.out_proj\.": r"blocks.\1.attn.proj.",
            r"transformer\.resblocks\.(\d+)\.mlp\.c_fc\.": r"blocks.\1.mlp.fc1.",
            r"transformer\.resblocks\.(\d+)\.mlp\.c_proj\.": r"blocks.\1.mlp.fc2.",
        },
        backbone="vit_base_patch16_clip_quickgelu_224",
        lacking="the norm before its blocks and its kind of GELU",
        normalization={"image_encoder.": HALVES, "": CLIP},
    ),
    Published(
        source="TransReID's jigsaw branch",
        # Training goes through a copy of the last block and of the norm, and leaves the originals as they were.
        marks=(r"base\.blocks\.11\.norm1\.", r"b1\.0\.norm1\.", r"b1\.1\.weight$"),
        renamed={
            rf"{_BRANCH}\.0\.": "blocks.11.",
            rf"{_BRANCH}\.1\.": "norm.",
            r"base\.(?!blocks\.11\.|norm\.)": "",
        },
        branches=("b1", "b2"),
        normalization={"": HALVES},
    ),
    Published(
        source="PASS",
        marks=(r"part_token1$", r"cls_pos$"),
        renamed={},
        before={"pos_embed": "cls_pos"},
        normalization={"": HALVES},
    ),
    Published(
        source="fast-reid's MGN",
        marks=(r"backbone\.0\.weight$", r"backbone\.6\.conv1\.", r"b1\.1\.0\.conv1\."),
        renamed={
            r"backbone\.0\.": "conv1.",
            r"backbone\.1\.": "bn1.",
            r"backbone\.4\.": "layer1.",
            r"backbone\.5\.": "layer2.",
            r"backbone\.6\.": "layer3.0.",
            **_later(rf"{_BRANCH}\.0\.{{}}\.", "layer3.{}.", _MOST_BLOCKS - 1),
            rf"{_BRANCH}\.1\.": "layer4.",
        },
        branches=("b1", "b2", "b3"),
    ),
)
"""Every kind of file that is known."""
