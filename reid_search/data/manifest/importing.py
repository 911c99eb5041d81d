"""Making a manifest: from folders, from the names of files, or from a list; and a split where there is none."""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import cast

from reid_search.data.listing import PARTS, SLASHES, About, Listing, Part, in_utf8
from reid_search.data.manifest.table import Row, and_others, read_table
from reid_search.errors import DataError, RequestError, closest, nearest

BY_IDENTITY = "{identity}/*"
_FIELDS = ("identity", "camera", "split", "time", "clothes")
_FEWEST = 2
_MOST_NAMED = 3


def from_pattern(root: Path, patterns: Sequence[str]) -> tuple[list[Row], dict[str, list[str]]]:
    """Return a row for each image whose path fits a pattern, and the names of files that fit none or are no images.

    Args:
        root: The folder.
        patterns: Paths in it, such as `{split}/{identity}_c{camera}_*.jpg`; `*` is anything but `/`, `**` anything.

    Raises:
        DataError: No image fits.
        RequestError: A pattern names an unknown field, or no identity.
    """
    expressions = [expression(pattern) for pattern in patterns]
    listing = Listing(root, About("the folder"))
    rows = []
    for path in listing.image_files(root, deep=True):
        name = in_utf8(listing.name_of(path))
        found = next((match for match in (item.fullmatch(name) for item in expressions) if match), None)
        if found is None:
            listing.leave_out(path, "images that fit no pattern")
            continue
        said = found.groupdict()
        if padded := next((text for text in (name, *said.values()) if text != text.strip()), None):
            raise DataError(f"{path}: {padded!r} has a blank at an end, which a table does not keep; rename it")
        if said.get("split", PARTS[0]) not in PARTS:
            raise DataError(f"{path}: split '{said['split']}'; {nearest(said['split'], PARTS)}")
        more = tuple((field, said[field]) for field in ("clothes", "time") if field in said)
        rows.append(Row(name, said["identity"], cast("Part", said.get("split", "")), said.get("camera", ""), more))
    if not rows:
        left = next(iter(listing.unused.get("images that fit no pattern", ())), None)
        what = f"; one that does not is {left}" if left else "; the folder holds none"
        head, _, rest = (left or "").partition("/")
        if any(item.fullmatch(rest) for item in expressions):
            what += f"; did you mean the folder {root / head}?"
        raise DataError(f"{root}: no image fits {' or '.join(patterns)}{what}")
    return rows, listing.unused


def from_list(table: Path, folder: Path) -> list[Row]:
    """Return the rows of a table that has `path` and `identity`, without a split unless it has one.

    Args:
        table: The file.
        folder: Where its paths start.

    Raises:
        DataError: The table cannot be read, lacks one of the two, or names an image or a side-car that is not there.
    """
    rows = read_table(table, drawn=True)
    missing = [
        (row.line, path)
        for row in rows
        for path in (row.path, *(path for _, path in row.side_cars if path))
        if not (folder / path).is_file()
    ]
    if missing:
        line, path = missing[0]
        hint = _where_it_is(path, folder, table.parent)
        raise DataError(f"{table}:{line}: {path}: no such file in {folder}{hint}{and_others(len(missing))}")
    return rows


def _where_it_is(path: str, folder: Path, beside: Path) -> str:
    """Say where a file may be that is not in the folder."""
    if "\\" in path:
        return f"; {SLASHES}"
    other = next((place for place in (beside, folder.parent) if (place / path).is_file()), None)
    if other is not None:
        return f"; it is in {other}, so import that folder"
    name, around = PurePosixPath(path).name, (folder / path).parent
    there = {found.name.lower(): found.name for found in around.iterdir()} if around.is_dir() else {}
    close = there.get(name.lower()) or closest(name, there.values())
    return f"; did you mean {PurePosixPath(path).with_name(close)}?" if close else "; paths start from that folder"


def expression(pattern: str) -> re.Pattern[str]:
    """Return a pattern of paths as a regular expression.

    Raises:
        RequestError: It names an unknown field, one twice, or no identity.
    """
    fields: list[str] = []

    def translated(found: re.Match[str]) -> str:
        if found[0] == "**":
            return ".*"
        if found[0] == "*":
            return "[^/]*"
        if found[1] is None:
            return re.escape(found[0])
        if found[1] not in _FIELDS:
            raise RequestError(f"--pattern {pattern}: {{{found[1]}}}; {nearest(found[1], _FIELDS)}")
        if found[1] in fields:
            return f"(?P={found[1]})"
        fields.append(found[1])
        return f"(?P<{found[1]}>[^/]+?)"

    text = re.sub(r"\{(\w+)\}|\*\*|\*|[^*{]+|\{", translated, pattern)
    if "identity" not in fields:
        raise RequestError(f"--pattern {pattern}: names no {{identity}}; expected one such as {BY_IDENTITY}")
    return re.compile(text)


def with_splits(rows: Sequence[Row], test_share: float, seed: int) -> list[Row]:
    """Return rows with an identity-disjoint split, drawn where none is given.

    Of each test identity one image in each camera becomes a query, as long as each still finds an image of another
    camera in the gallery; without cameras one image does, where there is another.

    Args:
        rows: With `split` throughout, or without.
        test_share: Share of the identities to test on, in (0, 1).
        seed: Seed of the draw.

    Raises:
        DataError: There are too few identities, or none can be a query.
    """
    given = [row for row in rows if row.split]
    if given and len(given) < len(rows):
        other = next(row for row in rows if not row.split)
        raise DataError(f"{other.path}: has no split, and others have one; give all of them one, or none")
    if given:
        return list(rows)
    draw = random.Random(seed)
    identities = sorted({row.identity for row in rows if row.identity})
    count = round(test_share * len(identities))
    if min(count, len(identities) - count) < _FEWEST:
        named = f" ({', '.join(identities[:_MOST_NAMED])}{', …' if len(identities) > _MOST_NAMED else ''})"
        raise DataError(
            f"too few identities to draw a split: {len(identities)}{named if identities else ''}; a test share of "
            f"{test_share:g} is {count} of them, and at least {_FEWEST} to train on and {_FEWEST} to test on are "
            "needed; is each of these one person? Or give a split of your own (a column 'split', or {split})"
        )
    tested = set(draw.sample(identities, count))
    queries = _queries([row for row in rows if row.identity in tested], draw)
    if not queries:
        raise DataError(
            "no test identity has two images that could find each other (in two cameras, where these are known)"
        )
    return [
        replace(
            row,
            split="train"
            if row.identity and row.identity not in tested
            else "query"
            if row.name in queries
            else "gallery",
        )
        for row in rows
    ]


def _queries(rows: Iterable[Row], draw: random.Random) -> set[str]:
    of: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        of[row.identity][row.camera].append(row.name)
    found = set()
    for identity in sorted(of):
        cameras = of[identity]
        known = "" not in cameras
        if (known and len(cameras) > 1) or (not known and len(cameras[""]) > 1):
            drawn = {camera: draw.choice(sorted(cameras[camera])) for camera in sorted(cameras)}
            found |= _answerable(drawn, cameras) if known else set(drawn.values())
    return found


def _answerable(drawn: Mapping[str, str], cameras: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the drawn images, one a camera, that can all be queries: each finds one of another camera that is none."""
    left, chosen = {camera: len(names) for camera, names in cameras.items()}, set[str]()
    for camera in drawn:
        left[camera] -= 1
        if all(any(left[other] for other in left if other != query) for query in (*chosen, camera)):
            chosen.add(camera)
        else:
            left[camera] += 1
    return {drawn[camera] for camera in chosen}
