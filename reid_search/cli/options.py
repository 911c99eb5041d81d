"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

StudyFile = Annotated[Path, typer.Argument(help="The study file, such as search_spaces/mgn.yaml.", metavar="STUDY")]
Storage = Annotated[
    Path, typer.Option(help="Folder that keeps studies, trials and the MLflow database.", file_okay=False)
]
Data = Annotated[Path | None, typer.Option(help="Folder of the data set, for a study on real images.")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Override an entry of the study; repeatable: training.images=2000, phases.search.trials=8.",
    ),
]
SetName = Annotated[
    str | None, typer.Option("--name", help="The data set that it is read as; if omitted, what it looks like.")
]
SetSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the data set, such as boxes=labelled."),
]
SkipBroken = Annotated[
    bool, typer.Option("--skip-broken", help="Leave out images that cannot be read, which is said everywhere.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

DEFAULT_STORAGE = Path("runs")


def settings(sets: list[str] | None, skip_broken: bool) -> list[str]:
    """Return the overrides that a command was given."""
    return [*(sets or ()), *(["data.skip_broken=true"] if skip_broken else [])]


def settings_of_set(sets: list[str] | None, skip_broken: bool) -> list[str]:
    """Return the settings of one data set that a command was given."""
    return [*(sets or ()), *(["skip_broken=true"] if skip_broken else [])]
