"""The last map of a backbone and its stripes, without torch."""

from dataclasses import dataclass, replace

from reid_search.backbones import backbone_config
from reid_search.errors import StudyError


def stripe_bounds(rows: int, parts: int) -> list[tuple[int, int]]:
    """Return first and last-plus-one row of each stripe, as adaptive pooling cuts them."""
    return [(part * rows // parts, -(-(part + 1) * rows // parts)) for part in range(parts)]


@dataclass(frozen=True)
class Region:
    """The size of a backbone's last map, or of a stripe of it, for images of `(height, width)`."""

    rows: int
    columns: int
    backbone: str
    image_size: tuple[int, int]

    @classmethod
    def of(cls, backbone: str, image_size: tuple[int, int], last_stride: int) -> "Region":
        """Return the whole last map of a backbone."""
        return cls(*backbone_config(backbone).map_size(image_size, last_stride), backbone, image_size)

    def stripes(self, parts: int) -> "list[Region]":
        """Return its stripes, from the top down.

        Raises:
            StudyError: There are more stripes than rows.
        """
        if parts > self.rows:
            raise StudyError(
                f"parts: {parts} stripes do not fit a map of {self} ({self.backbone} on images of "
                f"{_by(*self.image_size)}); at most {self.rows}, or larger images"
            )
        return [replace(self, rows=high - low) for low, high in stripe_bounds(self.rows, parts)]

    def refuse(self, rows: int, columns: int) -> None:
        """Refuse a map of another size.

        Raises:
            StudyError: Its rows and columns are not those of this region.
        """
        if (rows, columns) != (self.rows, self.columns):
            raise StudyError(
                f"pooling 'fc': this head was built for images of {_by(*self.image_size)}, on which its part of the "
                f"map is {self}, and got {_by(rows, columns)}; give images of {_by(*self.image_size)}, or choose a "
                "pooled head (avg, avg_max, gem, max), which takes any size"
            )

    def __str__(self) -> str:
        return _by(self.rows, self.columns)


def _by(height: int, width: int) -> str:
    return f"{height}×{width}"
