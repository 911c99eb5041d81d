"""Settings of the part-aligned bilinear model; no torch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from reid_search.backbones import BackboneName, backbone_config
from reid_search.models.layers.bilinear_settings import BilinearSettings, Width
from reid_search.models.layers.settings import Trunk
from reid_search.models.layers.taps import head_stages, vector_taps
from reid_search.study import Scope, Stage, TapSpec
from reid_search.study.trial.side_cars import KEYPOINTS
from reid_search.study.trial.weights import WeightsConfig


class PartBilinearConfig(BilinearSettings):
    """An appearance map times a map of body parts (Suh et al. 2018, section 3).

    The appearance stream is a backbone and a projection to `appearance_dim` channels. The part stream is a backbone
    that also gives heat maps of the 17 keypoints (`pose@coarse`, heights and not logits), and a projection of both to
    `part_dim` channels on the grid of the appearance.

    By default the part stream starts at random and is trained by re-identification alone. Its parameters are
    `parts.blocks.*`, `parts.pose.*` and `parts.projection.*`, the others `appearance.*` and `head.*`: a stage with
    `train: [parts.*]`, a `heatmap` loss on `pose@coarse` and other people's images pretrains it; later stages that
    leave out `parts.*` (or `parts.blocks.*` and `parts.pose.*`) freeze it.

    Attributes:
        appearance_dim: Channels of the projected appearance.
        part_dim: Channels of the projected parts.
        part_backbone: Backbone of the part stream.
        part_weights: Its pretrained weights, as `weights`.
        keypoints: Whether the part stream also gives heat maps of the keypoints, which its projection sees too; false
            for a part backbone that has maps of its own, such as `openpose`.
        fusion: The full outer product (`bilinear`), its tensor sketch (`compact`), or as controls both maps pooled and
            concatenated (`concat`; `embedding_dim` adds the linear layer) or no part stream at all (`appearance`).
        pooling: How `concat` and `appearance` pool; products are averaged.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("keypoints",)
    architecture: Literal["part_bilinear"]
    pooling: Literal["max", "avg"] = "avg"
    appearance_dim: Width = 512
    part_dim: Width = 128
    part_backbone: BackboneName = "resnet10_thin"
    part_weights: WeightsConfig | None = None
    keypoints: bool = True
    fusion: Literal["bilinear", "compact", "concat", "appearance"] = "compact"

    @property
    def pretrained(self) -> Mapping[str, tuple[str, WeightsConfig]]:
        """Those of one stream or of two."""
        if self.fusion == "appearance" or self.part_weights is None:
            return super().pretrained
        return {**super().pretrained, "part_weights": (self.part_backbone, self.part_weights)}

    @property
    def trunks(self) -> tuple[Trunk, ...]:
        """The backbone of the appearance, and that of the parts where there are any."""
        parts = Trunk("part_backbone", self.part_backbone, self.part_stride)
        return (*super().trunks, parts) if self.fusion != "appearance" else super().trunks

    @property
    def part_stride(self) -> int:
        """Last stride of the part stream that brings it nearest to the appearance's grid, finer if in doubt."""
        wanted, parts = backbone_config(self.backbone).stride(self.last_stride), backbone_config(self.part_backbone)
        fine = [stride for stride in parts.last_strides if parts.stride(stride) <= wanted]
        return max(fine, default=min(parts.last_strides))

    @property
    def vector_size(self) -> int:
        """Values of the fused vector."""
        if self.fusion in ("bilinear", "compact"):
            return self.product_dim((self.appearance_dim, self.part_dim), self.fusion == "compact")
        return self.appearance_dim + (self.part_dim if self.fusion == "concat" else 0)

    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the fused vector and, where there are any, of the keypoints' heat maps."""
        pose = frozenset({"parts.blocks", "parts.pose"} if self.keypoints else {"parts.blocks"})
        parts = () if self.fusion == "appearance" else (*pose, "parts.projection")
        stages = head_stages(self, self.vector_size)
        taps = list(vector_taps("bilinear.global", Scope.GLOBAL, stages, ("appearance", *parts), ["head"]))
        if parts and self.keypoints:
            grid = backbone_config(self.backbone).map_size(image_size, self.last_stride)
            taps.append(TapSpec("pose", Scope.MAP, Stage.COARSE, (len(KEYPOINTS), *grid), pose))
        return tuple(taps)


CONFIG = PartBilinearConfig
