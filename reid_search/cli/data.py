"""`reid-search data`: making and checking data sets."""

from pathlib import Path
from typing import Annotated

import typer

from reid_search.cli.console import answer, answer_json
from reid_search.cli.options import AsJson

app = typer.Typer(help="Make a synthetic data set, or check any data set.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def make(
    folder: Annotated[Path, typer.Argument(help="Where to; the folder must not exist.")],
    preset: Annotated[str, typer.Option(help="tiny, small, medium or market_like.")] = "tiny",
    seed: Annotated[int, typer.Option(help="Seed of the people and of everything else.")] = 0,
) -> None:
    """Write a synthetic data set in the layout of Market-1501."""
    import shutil
    import tempfile

    from pydantic import ValidationError

    from reid_search.data.synthetic.data import folder as synthetic_folder
    from reid_search.errors import RequestError
    from reid_search.study.component import DATASETS
    from reid_search.study.problems import first_problem

    if folder.exists():
        raise RequestError(f"{folder}: exists already; name a folder that does not")
    try:
        config = DATASETS.validate({"name": "synthetic", "preset": preset, "seed": seed})
    except ValidationError as error:
        raise RequestError(f"data make: {first_problem(error)}") from None
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = synthetic_folder(config, Path(temporary))  # type: ignore[arg-type]
        shutil.move(made, folder)
    answer(str(folder))


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A data set in the layout of Market-1501.")], as_json: AsJson = False
) -> None:
    """Describe a data set: identities, cameras, images, and every file that cannot be read."""
    from reid_search.data.dataset import TABLES, read_market_layout
    from reid_search.data.images import unreadable_images
    from reid_search.errors import DataError

    dataset = read_market_layout("market1501", folder)
    described = {}
    for name in TABLES:
        table = getattr(dataset, name)
        people = table[table["identity"] > 0]
        described[name] = {
            "images": len(table),
            "identities": int(people["identity"].nunique()),
            "cameras": int(table["camera"].nunique()),
            "distractors": int((table["identity"] == 0).sum()),
            "junk": int((table["identity"] == -1).sum()),
        }
    wrong = [problem for name in TABLES for problem in unreadable_images(getattr(dataset, name)["path"])]
    if as_json:
        answer_json({"fingerprint": dataset.fingerprint, **described, "unreadable": wrong})
    else:
        answer(f"fingerprint {dataset.fingerprint}")
        for name, counts in described.items():
            answer(f"{name:8} " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))
    if wrong:
        raise DataError(f"{len(wrong)} unreadable images:\n" + "\n".join(wrong[:20]))
