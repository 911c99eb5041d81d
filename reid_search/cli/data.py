"""`reid-search data`: make and check data sets."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_search.cli.console import answer, answer_json, say
from reid_search.cli.options import AsJson

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset
    from reid_search.data.synthetic.config import SyntheticConfig

app = typer.Typer(help="Make a synthetic data set, or check any data set.", no_args_is_help=True, rich_markup_mode=None)

_MOST_SHOWN = 20


@app.command()
def make(
    folder: Annotated[Path, typer.Argument(help="The folder to create; it must not exist yet.")],
    preset: Annotated[str, typer.Option(help="unit, tiny, ci, small, medium, ablate or market_like.")] = "tiny",
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn at random.")] = 0,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Any other setting; repeatable: nuisances.shift=0.8, people.twins=0.5, boxes=labelled.",
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
        raise RequestError(f"{folder}: already exists; name a folder that does not")
    config = _synthetic(preset, seed, sets or ())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = synthetic_folder(config, Path(temporary))
        write_contact_sheet(made)
        shutil.move(made, folder)
    say(f"contact sheet: {folder / 'contact_sheet.png'}")
    answer(str(folder))


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A data set in the layout of Market-1501.")], as_json: AsJson = False
) -> None:
    """Describe a data set: identities, cameras, images, side-cars, and any problems."""
    from reid_search.data.dataset import read_market_layout
    from reid_search.data.images import unreadable_images
    from reid_search.data.market_layout import unused_files
    from reid_search.data.side_cars import side_car_problems
    from reid_search.errors import DataError

    dataset = read_market_layout("market1501", folder)
    counts = {name: _counts(dataset, name) for name in dataset.tables}
    sizes, unused = _sizes(dataset), unused_files(folder)
    unreadable = [problem for table in dataset.tables.values() for problem in unreadable_images(list(table["path"]))]
    problems = side_car_problems(dataset, dataset.side_cars)
    if as_json:
        side_cars = {kind: str(place) for kind, place in sorted(dataset.side_cars.items())}
        content = {"fingerprint": dataset.fingerprint, **counts, "image_sizes": sizes, "side_cars": side_cars}
        answer_json({**content, "not_used": unused, "unreadable": unreadable, "side_car_problems": problems})
    else:
        _print(dataset, counts, sizes, unused)
    wrong = {"unreadable images": unreadable, "wrong side-cars": problems}
    if any(wrong.values()):
        raise DataError("\n".join(_problems(what, problems) for what, problems in wrong.items() if problems))


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
        "cameras": int(table["camera"].nunique()),
        "distractors": int((table["identity"] == DISTRACTOR).sum()),
        "junk": int((table["identity"] == JUNK).sum()),
    }


def _sizes(dataset: "ReidDataset") -> dict[str, int]:
    """Return how many images have each height and width; files that cannot be opened are not counted."""
    from collections import Counter

    from PIL import Image

    sizes: Counter[str] = Counter()
    for path in (path for table in dataset.tables.values() for path in table["path"]):
        try:
            with Image.open(path) as image:
                sizes[f"{image.height}x{image.width}"] += 1
        except OSError:
            continue
    return dict(sizes.most_common())


def _print(
    dataset: "ReidDataset", counts: dict[str, dict[str, int]], sizes: dict[str, int], unused: dict[str, list[str]]
) -> None:
    answer(f"fingerprint {dataset.fingerprint}")
    for name, of_table in counts.items():
        answer(f"{name:8} " + ", ".join(f"{count:,} {what}" for what, count in of_table.items()))
    shown = [f"{count:,} of {size}" for size, count in list(sizes.items())[:5]]
    more = len(sizes) - len(shown)
    answer("sizes    " + ", ".join([*shown, *([f"{more:,} other sizes"] if more else [])]))
    for kind in ("maps", "keypoints", "attributes"):
        answer(f"{kind:10} {dict(dataset.side_cars).get(kind, 'none')}")
    for reason, files in unused.items():
        answer(f"not used {len(files):,} {reason}: {', '.join(files[:2])}{', …' if len(files) > 2 else ''}")


def _problems(what: str, problems: list[str]) -> str:
    rest = [f"… and {len(problems) - _MOST_SHOWN} more"] if len(problems) > _MOST_SHOWN else []
    return "\n".join([f"{what}: {len(problems)}", *problems[:_MOST_SHOWN], *rest])
