"""`reid-search data`: making and checking data sets."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reid_search.cli.console import answer, answer_json, say
from reid_search.cli.options import AsJson, SetName, SetSettings, SkipBroken, settings_of_set
from reid_search.words import several

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset
    from reid_search.data.folder import FolderConfig
    from reid_search.data.synthetic.config import SyntheticConfig

app = typer.Typer(help="Make a synthetic data set, or check any data set.", no_args_is_help=True, rich_markup_mode=None)

_MOST_SHOWN = 20
_ONE = {
    "images": "image",
    "identities": "identity",
    "cameras": "camera",
    "distractors": "distractor",
    "junk": "junk image",
}


@app.command()
def make(
    folder: Annotated[Path, typer.Argument(help="Where to; the folder must not exist.")],
    preset: Annotated[str, typer.Option(help="unit, tiny, ci, small, medium, ablate or market_like.")] = "tiny",
    seed: Annotated[int, typer.Option(help="Seed of the people and of everything else.")] = 0,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Any other setting, as often as needed: nuisances.shift=0.8, people.twins=0.5, boxes=labelled.",
        ),
    ] = None,
) -> None:
    """Write a synthetic data set in the layout of Market-1501, with side-cars and a contact sheet."""
    import shutil
    import tempfile

    from reid_search.data.synthetic.contact_sheet import write_contact_sheet
    from reid_search.data.synthetic.data import folder as synthetic_folder
    from reid_search.errors import RequestError

    if folder.exists():
        raise RequestError(f"{folder}: exists already; name a folder that does not")
    config = _synthetic(preset, seed, sets or ())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = synthetic_folder(config, Path(temporary))
        write_contact_sheet(made)
        shutil.move(made, folder)
    say(f"what it looks like: {folder / 'contact_sheet.png'}")
    answer(str(folder))


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The data set's folder, or a manifest under any name.")],
    name: SetName = None,
    sets: SetSettings = None,
    skip_broken: SkipBroken = False,
    as_json: AsJson = False,
) -> None:
    """Describe a data set: identities, cameras, images, side-cars, and any problems."""
    from collections import Counter

    from reid_search.common.contents import hash_files
    from reid_search.data.checks import check_alone
    from reid_search.data.dataset import dataset_of
    from reid_search.data.decoding import judged
    from reid_search.data.listing import GO_ON
    from reid_search.data.side_cars import side_car_problems
    from reid_search.errors import DataError

    given = settings_of_set(sets, skip_broken)
    config = config_of_folder(folder, name, given)
    name, listing = config.name, config.listing()
    hashed = hash_files(image.path for image in listing.images)
    images = judged(hashed.digests)
    problems = {**hashed.unreadable, **images.problems}
    unreadable = [listing.described(path, problem) for path, problem in problems.items()]
    parts = {(image.path, image.box) for image in listing.images if image.path in images.sizes}
    shown = [(box.width, box.height) if box else images.sizes[path] for path, box in parts]
    sizes = Counter(f"{height}x{width}" for width, height in shown)
    dataset = dataset_of(name, listing, fingerprint="unknown" if unreadable else None)
    refused, alone = _refused(lambda: check_alone(dataset, config))
    content: dict[str, Any] = {
        "fingerprint": dataset.fingerprint,
        **{part: _counts(dataset, part) for part in dataset.tables},
        "image_sizes": dict(sizes.most_common()),
        "side_cars": {kind: str(place) for kind, place in sorted(dataset.side_cars.items())},
        "side_cars_from": {kind: config.origin_of(kind) for kind in sorted(dataset.side_cars)},
        "not_used": listing.unused,
        "notes": [*dataset.notes, *alone],
        "licence": listing.about.licence,
        "unreadable": unreadable,
        "side_car_problems": side_car_problems(dataset),
        "refused": refused,
    }
    if as_json:
        answer_json(content)
    else:
        _print(content, list(dataset.tables))
    wrong = {
        "unreadable images": unreadable,
        "wrong side-cars": content["side_car_problems"],
        "what a study refuses": refused,
    }
    if any(wrong.values()):
        told = [_problems(what, problems) for what, problems in wrong.items() if problems]
        raise DataError("\n".join([*told, *([f"unreadable images: {GO_ON}"] if unreadable else [])]))


@app.command(name="import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Folder of images of one's own.", exists=True, file_okay=False)],
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            help="Path of an image in the folder, with {identity} and, where known, {camera}, {split}, {time}, "
            "{clothes}; * is anything but /. Several may be given.  [default: {identity}/*]"
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--list",
            help="CSV or Parquet table of path, identity and, where known, camera, split, box, time, clothes, maps, "
            "keypoints (the last two are paths, as path is), instead of a pattern.",
        ),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="The manifest to write.  [default: manifest.csv in the folder]")
    ] = None,
    test_share: Annotated[
        float, typer.Option(help="Share of the identities to test on, where no split is given.", min=0.0, max=1.0)
    ] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of that split.")] = 0,
) -> None:
    """Write the manifest of a data set of one's own: path, identity, camera and split of every image."""
    from reid_search.data.folder import sniffed
    from reid_search.data.listing import PARTS
    from reid_search.data.manifest.importing import BY_IDENTITY, from_list, from_pattern, with_splits
    from reid_search.data.manifest.table import FILES, unread_columns, write_table
    from reid_search.errors import DataError, RequestError

    if pattern and table:
        raise RequestError("--pattern and --list: give one of the two")
    target = to or folder / FILES[0]
    if target.parent.resolve() != folder.resolve():
        raise RequestError(f"--to {target}: not in {folder}, and paths in a manifest start from its own folder")
    if target.exists():
        raise RequestError(f"{target}: exists already; name another file with --to, or delete it")
    try:
        rows, unused = (from_list(table, folder), {}) if table else from_pattern(folder, pattern or [BY_IDENTITY])
        split = with_splits(rows, test_share, seed)
    except DataError as error:
        known = sniffed(folder)
        raise DataError(
            f"{error}{f'; this folder looks like {known[0].name}: {known[0].how_to_name}' if known else ''}"
        ) from error
    write_table(target, split)
    for reason, names in sorted(unused.items()):
        say(f"not used, {reason}: {len(names)}, such as {names[0]}")
    for part in PARTS:
        of_part = [row for row in split if row.split == part]
        identities = {row.identity for row in of_part if row.identity}
        nobodys = sum(not row.identity for row in of_part)
        distractors = f", {nobodys:,} of nobody's (distractors)" if nobodys else ""
        counts = f"{several(len(of_part), 'image')} of {several(len(identities), 'identity')}"
        say(f"{part:8} {counts}{distractors}")
    if lacking := [part for part in PARTS if not any(row.split == part for row in split)]:
        checking = f"reid-search data check {shlex.quote(str(target))}"
        say(f"no {' and no '.join(lacking)} image: `{checking}` says what that is good for")
    if unread := unread_columns([name for name, _ in split[0].more]):
        say(unread)
    if not any(row.camera for row in split):
        say("no cameras: a ranking leaves out nothing but the query's own image")
    say(f"a study reads it with data: {{name: manifest, root: {(target if to else folder).resolve()}}}")
    answer(str(target))


def _refused(check: Callable[[], list[str]]) -> tuple[list[str], list[str]]:
    """Return why a study would refuse a data set, and otherwise what the check says of it."""
    from reid_search.errors import DataError

    try:
        return [], check()
    except DataError as error:
        return [str(error)], []


def config_of_folder(folder: Path, name: str | None, sets: Sequence[str]) -> "FolderConfig":
    """Return the data set in a folder: the one that is named, or else what the folder looks like.

    Raises:
        DataError: The folder is missing, or like no data set.
        RequestError: There is no such data set or setting.
    """
    return folder_config(name, folder, sets) if name else _sniffed(folder, sets)


def _sniffed(folder: Path, sets: Sequence[str]) -> "FolderConfig":
    from reid_search.data.folder import sniffed, unknown
    from reid_search.errors import DataAbsent

    if folder.is_file():
        return folder_config("manifest", folder, sets)
    if not folder.is_dir():
        raise DataAbsent(f"{folder}: no such folder or manifest")
    found = sniffed(folder)
    if not found:
        raise unknown(folder)
    config = folder_config(found[0].name, folder, sets, found[0].as_entries) if sets else found[0]
    say(f"looks like {' or '.join(config.name for config in found)}: {config.written}")
    return config


def folder_config(
    name: str, folder: Path, sets: Sequence[str], base: "Mapping[str, object] | None" = None
) -> "FolderConfig":
    """Return a data set in a folder by its name, with what `--set NAME=VALUE` gave laid over the entries in `base`.

    Raises:
        RequestError: There is no such data set or setting.
    """
    from pydantic import ValidationError

    from reid_search.data.folder import FolderConfig, names_of_folders
    from reid_search.errors import RequestError, nearest
    from reid_search.study import DATASETS
    from reid_search.study.language.document import parse_value
    from reid_search.study.language.validation_errors import first_problem

    of_folders = names_of_folders()
    if name not in of_folders:
        raise RequestError(f"--name {name}: not a data set that is read from a folder; {nearest(name, of_folders)}")
    if wrong := [setting for setting in sets if "=" not in setting]:
        raise RequestError(f"--set {wrong[0]}: expected NAME=VALUE, such as boxes=labelled")
    settings = {key.strip(): parse_value(value) for key, _, value in (setting.partition("=") for setting in sets)}
    try:
        config = DATASETS.validate({**(base or {}), **settings, "name": name, "root": str(folder)})
    except (ValidationError, ValueError) as error:
        raise RequestError(f"--set: {first_problem(error) if isinstance(error, ValidationError) else error}") from None
    assert isinstance(config, FolderConfig)
    return config


def _synthetic(preset: str, seed: int, sets: Sequence[str]) -> "SyntheticConfig":
    from pydantic import ValidationError

    from reid_search.data.synthetic.config import SyntheticConfig
    from reid_search.errors import RequestError
    from reid_search.study.language.document import Document
    from reid_search.study.language.validation_errors import first_problem

    content = {"name": "synthetic", "preset": preset, "seed": seed, "people": {}, "nuisances": {}}
    try:
        return SyntheticConfig.model_validate(Document(content).overridden(sets).data)
    except ValidationError as error:
        raise RequestError(f"data make: {first_problem(error)}") from None


def _counts(dataset: "ReidDataset", name: str) -> dict[str, int]:
    from reid_search.common.labels import DISTRACTOR, JUNK

    table = dataset.tables[name]
    return {
        "images": len(table),
        "identities": int(table["identity"][table["identity"] > DISTRACTOR].nunique()),
        "cameras": int(table["camera"].nunique()) if "camera" in table else 0,
        "distractors": int((table["identity"] == DISTRACTOR).sum()),
        "junk": int((table["identity"] == JUNK).sum()),
    }


def _print(content: dict[str, Any], tables: Sequence[str]) -> None:
    answer(f"fingerprint {content['fingerprint']}")
    for name in tables:
        answer(f"{name:8} " + ", ".join(several(count, _ONE[what]) for what, count in content[name].items()))
    shown = [f"{count:,} of {size}" for size, count in list(content["image_sizes"].items())[:5]]
    more = len(content["image_sizes"]) - len(shown)
    answer("sizes    " + ", ".join([*shown, *([several(more, "other size")] if more else [])]))
    for kind in ("maps", "keypoints", "attributes"):
        origin = content["side_cars_from"].get(kind)
        answer(f"{kind:10} {content['side_cars'].get(kind, 'none')}{f' ({origin})' if origin else ''}")
    for reason, files in content["not_used"].items():
        answer(f"not used {reason} ({len(files):,}): {', '.join(files[:2])}{', …' if len(files) > 2 else ''}")
    for note in [*content["notes"], *([f"licence: {content['licence']}"] if content["licence"] else [])]:
        answer(f"note     {note}")


def _problems(what: str, problems: list[str]) -> str:
    rest = [f"… and {len(problems) - _MOST_SHOWN} more"] if len(problems) > _MOST_SHOWN else []
    return "\n".join([f"{what}: {len(problems)}", *problems[:_MOST_SHOWN], *rest])
