"""Images with their side-cars, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_search.common.arrays import Integers

Pixels = npt.NDArray[np.uint8]
Maps = npt.NDArray[np.uint8]
Keypoints = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Samples:
    """B images.

    Attributes:
        pixels: `(B, H, W, 3)`.
        maps: `(B, 4, H, W)` part maps, probabilities times 255; None if not needed.
        keypoints: `(B, 17, 3)`: x and y in pixels, visibility 0 (absent), 1 (occluded) or 2 (visible).
        attributes: `(B, 32)` attributes of the identities, in the order of `ALL_ATTRIBUTES`; -1 is unknown.
    """

    pixels: Pixels
    maps: Maps | None = None
    keypoints: Keypoints | None = None
    attributes: Integers | None = None

    def __len__(self) -> int:
        """Return B."""
        return len(self.pixels)

    def at(self, rows: Integers) -> "Samples":
        """Return some of the images, read into memory."""
        return Samples(
            self.pixels[rows],
            None if self.maps is None else self.maps[rows],
            None if self.keypoints is None else self.keypoints[rows],
            None if self.attributes is None else self.attributes[rows],
        )


def concatenated(parts: Sequence[Samples]) -> Samples:
    """Return images that have the same size and side-cars one after another."""

    def joined(arrays: Sequence[npt.NDArray[Any] | None]) -> Any:
        known = [array for array in arrays if array is not None]
        return np.concatenate(known) if known else None

    return Samples(
        joined([part.pixels for part in parts]),
        joined([part.maps for part in parts]),
        joined([part.keypoints for part in parts]),
        joined([part.attributes for part in parts]),
    )
