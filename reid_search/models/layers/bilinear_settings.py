"""Settings that the bilinear models share; no torch."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from reid_search.models.layers.settings import BranchSettings

Width = Annotated[int, Field(ge=8, le=2048)]


class BilinearSettings(BranchSettings):
    """How the product of two maps becomes a vector.

    Attributes:
        sketch_dim: Size of a compact product.
        sketch_seed: Seed of the hashes and signs of a compact product; they are fixed, not learnt.
        signed_sqrt: Whether values are replaced by their signed square roots (Lin et al. 2015, section 3).
        unit_length: Whether the vector is divided by its ℓ2 norm at the end.
    """

    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@neck"]},
        "triplet": {"kind": "triplet", "on": ["global@coarse"], "margin": 0.3},
    }

    neck: Literal["none", "bnneck"] = "bnneck"
    sketch_dim: Annotated[int, Field(ge=64, le=8192)] = 512
    sketch_seed: int = Field(default=0, ge=0, lt=2**63)
    signed_sqrt: bool = False
    unit_length: bool = True

    def product_dim(self, sizes: tuple[int, int], compact: bool) -> int:
        """Return the size of the product of two maps with these numbers of channels."""
        return self.sketch_dim if compact else sizes[0] * sizes[1]
