"""Image files to 8-bit RGB, whatever form they come in; Pillow reads them.

* The orientation that a camera noted (EXIF) is applied, so that a person stands upright. Side-cars describe
  the upright image.
* 16-bit grey is scaled to 8 bits; grey, palette and CMYK images become RGB.
* What is transparent shows `MEAN_PIXEL`, as an erased rectangle does: it says nothing.
* Of an animation or a file of several pages, the first image is read.
"""

import os
import re
import stat
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import PIL
from PIL import ExifTags, Image, UnidentifiedImageError

from reid_search.common.contents import known_verdicts, remember_verdicts, why_unreadable
from reid_search.data.boxes import Box
from reid_search.data.listing import GO_ON
from reid_search.errors import DataError
from reid_search.words import several

MEAN_PIXEL = (124, 116, 104)
"""The mean of ImageNet in 8-bit RGB."""

_JUDGE = f"image 3, Pillow {PIL.__version__}"
_BROKEN = "broken: "
_VERDICT = re.compile(rf"{_BROKEN}.*|\d+ \d+", re.DOTALL)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = (5, 6, 7, 8)


def decoded(path: Path | str, box: Box | None = None) -> Image.Image:
    """Return an image as RGB, upright, or the part of it in a box.

    Raises:
        DataError: The file is not a readable image, or the box reaches outside it.
    """
    with _opened(path) as image:
        rgb = _as_rgb(image)
        turn = _TURNS.get(_orientation(image))
        upright = rgb if turn is None else rgb.transpose(turn)
    if box is None:
        return upright
    if not box.is_inside(upright.size):
        raise DataError(outside(str(path), box, upright.size))
    return upright.crop(box.edges)


def outside(place: str, box: Box, size: tuple[int, int]) -> str:
    """Say that a box reaches outside an image of this width and height."""
    return f"{place}: box {box} reaches outside the image, which is {size[0]} pixels wide and {size[1]} high"


def size_of(path: Path | str) -> tuple[int, int]:
    """Return width and height of an image as it stands upright.

    Raises:
        DataError: The file is not a readable image.
    """
    with _opened(path) as image:
        if image.format == "TIFF":
            image.load()  # which turns it upright already
        width, height = image.size
        return (height, width) if _orientation(image) in _LYING else (width, height)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's warnings and make a decompression bomb an error, in all threads started inside.

    Warnings are filtered for the whole process, so this wraps the pool of threads that reads images.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@dataclass(frozen=True)
class Judged:
    """Files by path: width and height of those that are whole images, and what is wrong with the others."""

    sizes: dict[str, tuple[int, int]]
    problems: dict[str, str]


def judged(digests: Mapping[str, str]) -> Judged:
    """Decode files and say which are whole images; each content is decoded once and remembered.

    Args:
        digests: SHA-256 of the files by path.
    """
    known = known_verdicts(_JUDGE, digests.values())
    verdicts = {digest: verdict for digest, verdict in known.items() if _VERDICT.fullmatch(str(verdict))}
    unknown = {digest: path for path, digest in digests.items() if digest not in verdicts}
    with quiet(), ThreadPoolExecutor(os.cpu_count()) as pool:
        new = dict(zip(unknown, pool.map(_verdict, unknown.values()), strict=True))
    remember_verdicts(_JUDGE, new)
    found = Judged({}, {})
    for path, digest in digests.items():
        verdict = new.get(digest) or verdicts[digest]
        if verdict.startswith(_BROKEN):
            found.problems[path] = verdict.removeprefix(_BROKEN)
        else:
            width, height = map(int, verdict.split())
            found.sizes[path] = width, height
    return found


def check_images(digests: Mapping[str, str]) -> None:
    """Refuse files that are no whole images, given their SHA-256 by path.

    Raises:
        DataError: There are such files; the message has the first, and how many there are.
    """
    problems = judged(digests).problems
    if problems:
        path = min(problems)
        more = f" (and {several(len(problems) - 1, 'more file')} that cannot be read)" if len(problems) > 1 else ""
        raise DataError(f"{path}: {problems[path]}{more}; {GO_ON}")


def _verdict(path: str) -> str:
    """Return width and height in a text, or what is wrong."""
    try:
        width, height = decoded(path).size
    except DataError as error:
        return _BROKEN + str(error).removeprefix(f"{path}: ").removesuffix(f"; {GO_ON}")
    return f"{width} {height}"


@contextmanager
def _opened(path: Path | str) -> Iterator[Image.Image]:
    """Open a file with Pillow; whatever goes wrong inside, which depends on the format, is said in one way."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            raise ValueError("not a file")
        with Image.open(path, formats=_formats()) as image:
            yield image
    except MemoryError:
        raise
    except Exception as error:
        raise DataError(f"{path}: not a readable image ({why_undecodable(str(path), error)}); {GO_ON}") from error


@cache
def _formats() -> list[str]:
    """Return the formats that are read: all but PostScript, which another program would run."""
    Image.init()
    return [name for name in Image.ID if name != "EPS"]


def why_undecodable(path: str, error: Exception) -> str:
    """Say in a few words why Pillow could not read a file."""
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return f"more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels, as in a decompression bomb"
    if isinstance(error, UnidentifiedImageError):
        return "of no known format"
    if isinstance(error, OSError) and error.errno is not None:
        return why_unreadable(path, error)
    return str(error) or type(error).__name__


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("floating-point pixels, whose range nobody knows; save it with 8 or 16 bits")
    if image.mode == "I" and image.format == "TIFF":
        raise ValueError("32-bit pixels, whose range nobody knows; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        eight_bits = image.convert("I").point(lambda value: value * (1 / 257) + 0.5)
        return eight_bits.convert("L").convert("RGB")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        behind = Image.new("RGBA", image.size, (*MEAN_PIXEL, 255))
        return Image.alpha_composite(behind, seen).convert("RGB")
    return image.convert("RGB")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged metadata do not make an image unreadable
        return 1
