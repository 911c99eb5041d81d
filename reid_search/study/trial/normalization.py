"""The normalisation of images, which belongs to the weights that were trained with it. No torch."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

_LONGEST_HEADER = 100_000_000

_Mean = Annotated[float, Field(ge=0.0, le=1.0)]
_Deviation = Annotated[float, Field(gt=0.0, le=1.0)]
Means = tuple[_Mean, _Mean, _Mean]
Deviations = tuple[_Deviation, _Deviation, _Deviation]


class Normalization(BaseModel):
    """How pixels become what a network takes: minus the mean, divided by the standard deviation.

    Attributes:
        mean: Of red, green and blue, each in [0, 1].
        std: Standard deviations of these.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    mean: Means
    std: Deviations

    def __str__(self) -> str:
        """Return the numbers: `mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225`."""
        mean, std = (" ".join(f"{value:.4g}" for value in values) for values in (self.mean, self.std))
        return f"mean {mean}, deviation {std}"

    @property
    def mean_pixel(self) -> tuple[int, int, int]:
        """The mean in 8-bit RGB."""
        red, green, blue = (round(255 * value) for value in self.mean)
        return red, green, blue

    def as_metadata(self) -> dict[str, str]:
        """Return what a safetensors file of weights says of it."""
        return {"mean": json.dumps(self.mean), "std": json.dumps(self.std)}

    @classmethod
    def of_file(cls, path: Path) -> Self | None:
        """Return what a file of weights says of it, as those do that this program wrote; None where it says nothing."""
        metadata = _metadata(path)
        try:
            return cls(mean=json.loads(metadata["mean"]), std=json.loads(metadata["std"]))
        except (KeyError, ValueError):
            return None


IMAGENET = Normalization(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
CLIP = Normalization(mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711))
HALVES = Normalization(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def _metadata(path: Path) -> Mapping[str, str]:
    """Return the metadata of a safetensors file; empty for any other."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length < _LONGEST_HEADER else {}
    except (OSError, ValueError, struct.error):
        return {}
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return metadata if isinstance(metadata, dict) else {}
