"""A contact sheet: a few people in front of every camera, plain and overlaid with masks and keypoints."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypedDict, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from reid_search.data.synthetic.config import DRAWN_FROM, SyntheticConfig
from reid_search.data.synthetic.people.person import Colour
from reid_search.data.synthetic.presets import PRESETS
from reid_search.data.synthetic.views.scenes import HEIGHT, WIDTH
from reid_search.records.files import read_json

_ZOOM = 1.5
_CELL = round(WIDTH * _ZOOM), round(HEIGHT * _ZOOM)
_GAP, _BETWEEN, _EDGE, _LABEL, _TITLE, _FOOT = 6, 28, 24, 104, 92, 40
_ROWS = 8
_LEGEND = 540
_PAPER, _INK, _FAINT, _ABSENT = (250, 249, 246), (32, 33, 36), (120, 122, 128), (236, 234, 229)
_FAMILY = ((214, 96, 77), (67, 125, 187), (92, 148, 84), (150, 105, 170))
_PARTS: dict[str, Colour] = {
    "head": (240, 112, 96),
    "upper": (88, 196, 132),
    "lower": (86, 140, 240),
    "shoes": (250, 206, 70),
}
_WHITE = (255, 255, 255)
_BONES = ((5, 7), (7, 9), (6, 8), (8, 10), (5, 6), (11, 12), (5, 11), (6, 12), (11, 13), (13, 15), (12, 14), (14, 16))


class _Latents(TypedDict):
    """The latents of an image that the sheet shows; `stem` is its file name."""

    folder: str
    subject: int
    camera: int
    family: int | None
    twin: int
    stem: str


class _Cell(NamedTuple):
    seen: Image.Image
    overlaid: Image.Image


def write_contact_sheet(root: Path) -> Path:
    """Write `contact_sheet.png` into the folder of a synthetic data set; twins are in neighbouring rows."""
    manifest = read_json(root / "manifest.json")
    settings = {name: manifest[name] for name in ("preset", *DRAWN_FROM)}
    drawn = SyntheticConfig.model_validate({"name": "synthetic", **settings})
    shown = _chosen(_latents_of(root), twins_wanted=drawn.people.twins > 0)
    cameras = range(1, PRESETS[drawn.preset].cameras + 1)
    band = len(cameras) * (_CELL[0] + _GAP) - _GAP
    width = 2 * _EDGE + _LABEL + 2 * band + _BETWEEN
    rows = list(shown.values())
    sheet = Image.new("RGB", (width, _TITLE + len(rows) * (_CELL[1] + _GAP) + _FOOT), _PAPER)
    starts = (_EDGE + _LABEL, _EDGE + _LABEL + band + _BETWEEN)
    _write_title(sheet, drawn, manifest["images"], starts, cameras)
    for number, (before, images) in enumerate(zip([{}, *rows], rows, strict=False)):
        top = _TITLE + number * (_CELL[1] + _GAP)
        _write_label(sheet, images, before, top)
        for camera in cameras:
            cell = _cell(root, images[camera]) if camera in images else None
            for start, picture in zip(starts, cell or (None, None), strict=True):
                _place(sheet, picture, start + (camera - 1) * (_CELL[0] + _GAP), top)
    _write_foot(sheet, min(starts[1], width - _EDGE - _LEGEND))
    target = root / "contact_sheet.png"
    sheet.save(target)
    return target


def _latents_of(root: Path) -> dict[int, dict[int, _Latents]]:
    """Return one image per camera of each training person."""
    people: dict[int, dict[int, _Latents]] = defaultdict(dict)
    for path in sorted((root / "latents").glob("*.json")):
        latents = cast("_Latents", json.loads(path.read_text()) | {"stem": path.stem})
        if latents["folder"] == "bounding_box_train":
            people[latents["subject"]].setdefault(latents["camera"], latents)
    return people


def _chosen(people: dict[int, dict[int, _Latents]], twins_wanted: bool) -> dict[int, dict[int, _Latents]]:
    """Return whole families first, if there are twins, then the people whom the most cameras saw."""

    def order(subject: int) -> tuple[int, ...]:
        one = next(iter(people[subject].values()))
        if one["family"] is None:
            return (twins_wanted, -len(people[subject]))
        return (False, one["family"], one["twin"])

    return {subject: people[subject] for subject in sorted(people, key=order)[:_ROWS]}


def _cell(root: Path, latents: _Latents) -> _Cell:
    stem = latents["stem"]
    with Image.open(root / latents["folder"] / f"{stem}.jpg") as image, Image.open(root / f"masks/{stem}.png") as mask:
        seen = image.convert("RGB").resize(_CELL, Image.Resampling.BICUBIC)
        labels = np.asarray(mask.resize(_CELL, Image.Resampling.NEAREST))
    keypoints = np.reshape(read_json(root / f"keypoints/{stem}.json")["keypoints"], (-1, 3))
    return _Cell(seen, _overlaid(seen, labels, keypoints))


def _overlaid(seen: Image.Image, labels: npt.NDArray[np.uint8], keypoints: npt.NDArray[np.float64]) -> Image.Image:
    """Return an image in grey with its parts in colours, its limbs as lines and its keypoints as dots."""
    grey = np.asarray(seen.convert("L").convert("RGB"), np.float32)
    palette = np.array([(90, 92, 98), *_PARTS.values()], np.float32)
    weight = np.where(labels > 0, 0.62, 0.35)[..., None]
    picture = Image.fromarray((grey * (1 - weight) + palette[labels] * weight).astype(np.uint8))
    brush = ImageDraw.Draw(picture)
    places = [((x + 0.5) * _ZOOM, (y + 0.5) * _ZOOM, seen) for x, y, seen in keypoints.tolist()]
    for one, other in _BONES:
        if places[one][2] and places[other][2]:
            brush.line((*places[one][:2], *places[other][:2]), fill=_WHITE, width=1)
    for x, y, visibility in places:
        if visibility:
            brush.ellipse((x - 2, y - 2, x + 2, y + 2), fill=_INK if visibility == 1 else _WHITE, outline=_INK)
    return picture


def _place(sheet: Image.Image, picture: Image.Image | None, left: int, top: int) -> None:
    if picture:
        sheet.paste(picture, (left, top))
    else:
        ImageDraw.Draw(sheet).rectangle((left, top, left + _CELL[0] - 1, top + _CELL[1] - 1), fill=_ABSENT)


def _write_title(
    sheet: Image.Image, drawn: SyntheticConfig, images: int, starts: tuple[int, int], cameras: Iterable[int]
) -> None:
    brush = ImageDraw.Draw(sheet)
    title = f"Synthetic pedestrians: {drawn.preset}, seed {drawn.seed}"
    brush.text((_EDGE, 18), title, fill=_INK, font=_font(24))
    counts, people = PRESETS[drawn.preset], drawn.people
    said = f"{counts.train_identities} people in training, {counts.test_identities} in test, "
    said += f"{images:,} images, {drawn.boxes} boxes"
    if people.twins:
        kind = people.twin_kind.replace("_", "-")
        said += f"; {people.twins:.0%} in families of {people.family_size} ({kind} twins)"
    brush.text((_EDGE, 48), said, fill=_FAINT, font=_font(14))
    for start in starts:
        for camera in cameras:
            middle = start + (camera - 1) * (_CELL[0] + _GAP) + _CELL[0] / 2
            brush.text((middle, _TITLE - 12), f"camera {camera}", fill=_FAINT, font=_font(13), anchor="mm")


def _write_label(sheet: Image.Image, images: dict[int, _Latents], before: dict[int, _Latents], top: int) -> None:
    """Write who a row shows; a coloured bar joins the rows of a family."""
    brush = ImageDraw.Draw(sheet)
    one, last = next(iter(images.values())), next(iter(before.values()), None)
    brush.text((_EDGE + 14, top + 8), f"{one['subject']:04d}", fill=_INK, font=_font(18))
    if one["family"] is None:
        return
    joined = last is not None and last["family"] == one["family"]
    colour = _FAMILY[one["family"] % len(_FAMILY)]
    brush.rectangle((_EDGE, top - (_GAP if joined else 0), _EDGE + 5, top + _CELL[1] - 1), fill=colour)
    lines = f"family {one['family']}\ntwin {one['twin'] + 1}"
    brush.text((_EDGE + 14, top + 34), lines, fill=_FAINT, font=_font(13), spacing=5)


def _write_foot(sheet: Image.Image, left: int) -> None:
    brush = ImageDraw.Draw(sheet)
    middle = sheet.height - _FOOT / 2 - 2
    x = float(left)
    for name, colour in _PARTS.items():
        brush.rectangle((x, middle - 6, x + 12, middle + 6), fill=colour)
        brush.text((x + 18, middle), name, fill=_FAINT, font=_font(13), anchor="lm")
        x += 76
    for name, colour in (("keypoint visible", _WHITE), ("covered", _INK)):
        brush.ellipse((x + 3, middle - 4, x + 11, middle + 4), fill=colour, outline=_INK)
        brush.text((x + 18, middle), name, fill=_FAINT, font=_font(13), anchor="lm")
        x += 138


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
