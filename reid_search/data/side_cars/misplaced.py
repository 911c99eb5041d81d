"""Side-cars that are not where a study says: a typing error in the name of a folder, a folder in place of a table."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reid_search.errors import DataAbsent, DataError, closest
from reid_search.study.trial.side_cars import SideCar

_MOST_LISTED = 8


class _Form(NamedTuple):
    """What may hold side-cars of a kind: a folder, or a file whose name ends in one of some ways."""

    expected: str
    folder: bool
    endings: tuple[str, ...]


_FORMS: dict[SideCar, _Form] = {
    "maps": _Form("a folder of part maps", True, ()),
    "keypoints": _Form("a folder of keypoints, or one .json file", True, (".json",)),
    "attributes": _Form("a table of attributes (.csv or .mat)", False, (".csv", ".mat")),
}


def why_misplaced(kind: SideCar, place: Path) -> DataError | None:
    """Return the error that side-cars are not at a place, with the nearest name beside it; None if they may be.

    Args:
        kind: What they hold.
        place: The path that a study gives, or the usual one.
    """
    form = _FORMS[kind]
    if place.is_dir():
        if form.folder:
            return None
        near = _near(kind, place, form, "in it") or _near(place.stem, place.parent, form)
        return DataError(f"{place}: a folder; expected {form.expected}{near}")
    if place.exists():
        if form.endings:
            return None
        return DataError(f"{place}: a file; expected {form.expected}{_near(place.stem, place.parent, form)}")
    if place.parent.is_dir():
        near = _near(place.name, place.parent, form)
        return DataAbsent(f"{place}: no such {'folder' if form.folder else 'file'}; expected {form.expected}{near}")
    there = next((parent for parent in place.parents if parent.is_dir()), place.parent)
    return DataAbsent(f"{place}: neither it nor its folder exists, but {there} does; expected {form.expected}")


def _near(name: str, folder: Path, form: _Form, where: str = "beside it") -> str:
    """Return the end of a message: what has the right form in a folder, and which of it has the nearest name."""
    names = [item for item in _listed(folder) if item != name and _has_form(folder / item, form)]
    if not names:
        return ""
    close = closest(name, names)
    more = len(names) - _MOST_LISTED
    listed = ", ".join(names[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
    return f"; did you mean '{folder / close}'? ({where}: {listed})" if close else f"; {where}: {listed}"


def _has_form(path: Path, form: _Form) -> bool:
    return form.folder if path.is_dir() else path.suffix.lower() in form.endings


def _listed(folder: Path) -> Sequence[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208
    except OSError:  # which is said where it is read
        return []
