"""Masks of body parts: 0 background, 1 head, 2 upper, 3 lower, 4 shoes.

Hair, cap and neck are head, arms are upper, bare legs are lower. Bags are background, as for human parsers, which have
no class for them.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from reid_search.data.synthetic.puppet.drawing import Part
from reid_search.study.trial.side_cars import PARTS

Mask = npt.NDArray[np.uint8]

_HEAD, _UPPER, _LOWER, _SHOES = (PARTS.index(name) + 1 for name in ("head", "upper", "lower", "shoes"))
_CLASSES = {
    Part.HEAD: _HEAD,
    Part.HAIR: _HEAD,
    Part.UPPER: _UPPER,
    Part.ARMS: _UPPER,
    Part.LOWER: _LOWER,
    Part.LEGS: _LOWER,
    Part.SHOES: _SHOES,
}
_CLASS_OF_CODE = np.array([_CLASSES.get(Part(code & 15), 0) if code & 15 in set(Part) else 0 for code in range(256)])
_CLASS_OF_CODE = _CLASS_OF_CODE.astype(np.uint8)
_MOST_GROWN, _CONFUSED, _COARSEST = 3, 0.35, 16
_CELLS = (16, 8)


def mask_of(codes: npt.NDArray[np.uint8]) -> Mask:
    """Return the part at each place, given the canvas's codes `(h, w)`."""
    return _CLASS_OF_CODE[codes]


def disturbed_mask(mask: Mask, strength: float, generator: np.random.Generator) -> Mask:
    """Return a true mask `(H, W)` with a parser's errors: confused blocks, too large or too small, a coarse grid.

    A strength of 0 leaves it as it is; at 1 a third of the blocks is confused and the grid has 16 by 8 cells.
    """
    confused, parts = generator.random(_CELLS) < _CONFUSED * strength, generator.integers(1, len(PARTS) + 1, _CELLS)
    grown = round(strength * _MOST_GROWN * float(generator.uniform(-1.0, 1.0)))
    if not strength:
        return mask
    height, width = mask.shape
    rows, columns = np.arange(height) * _CELLS[0] // height, np.arange(width) * _CELLS[1] // width
    blocks = np.where(confused, parts, 0)[rows][:, columns]
    result = np.where((mask > 0) & (blocks > 0), blocks, mask).astype(np.uint8)
    return _coarse(_grown(result, grown), strength)


def _grown(mask: Mask, pixels: int) -> Mask:
    """Return a mask whose person is larger by some pixels on each side, or smaller for a negative number."""
    if not pixels:
        return mask
    image, size = Image.fromarray(mask), 2 * abs(pixels) + 1
    if pixels > 0:
        return np.where(mask > 0, mask, np.asarray(image.filter(ImageFilter.MaxFilter(size))))
    person = Image.fromarray((mask > 0).astype(np.uint8)).filter(ImageFilter.MinFilter(size))
    return np.where(np.asarray(person) > 0, mask, np.uint8(0))


def _coarse(mask: Mask, strength: float) -> Mask:
    height, width = mask.shape
    rows = max(round(height * (_COARSEST / height) ** strength), 1)
    small = Image.fromarray(mask).resize((max(rows * width // height, 1), rows), Image.Resampling.NEAREST)
    return np.asarray(small.resize((width, height), Image.Resampling.NEAREST))
