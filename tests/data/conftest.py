"""Small data sets in the layout of Market-1501."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Write = Callable[..., Path]


def write_image(path: Path, seed: int, size: tuple[int, int] = (16, 8)) -> None:
    """Write a JPEG of random colours, `size` being height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """A folder with four training identities, two test identities, a distractor and junk, under two cameras."""
    root = tmp_path / "market"
    for identity in (2, 7, 10, 11):
        for camera in (1, 2):
            for frame in range(2):
                write_image(
                    root / f"bounding_box_train/{identity:04}_c{camera}s1_{frame:06}_01.jpg", identity * 10 + frame
                )
    for identity in (1, 5):
        write_image(root / f"query/{identity:04}_c1s1_000000_00.jpg", identity)
        for camera in (1, 2):
            write_image(root / f"bounding_box_test/{identity:04}_c{camera}s1_000001_01.jpg", identity)
    write_image(root / "bounding_box_test/0000_c1s1_000002_01.jpg", 90)
    write_image(root / "bounding_box_test/-1_c2s1_000003_01.jpg", 91)
    return root
