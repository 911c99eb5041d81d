"""`reid-search init`: a first study on a data set, commented, that runs as it is."""

import json
import re
import shlex
import shutil
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated

import typer

from reid_search.cli.console import answer, say
from reid_search.cli.data import config_of_folder
from reid_search.cli.options import SetName, SetSettings, SkipBroken, settings_of_set
from reid_search.words import several

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset
    from reid_search.data.folder import FolderConfig

_MOST_PEOPLE = {"cpu": 8, "gpu": 16}
_HELD_OUT = 0.2


def init(
    data: Annotated[Path, typer.Argument(help="The data set's folder, or a manifest.", metavar="DATA")],
    to: Annotated[Path, typer.Option(help="The study file to write.")] = Path("study.yaml"),
    name: SetName = None,
    sets: SetSettings = None,
    gpu: Annotated[
        bool | None, typer.Option(help="Whether it is for a GPU; if omitted, whether this machine has one.")
    ] = None,
    skip_broken: SkipBroken = False,
) -> None:
    """Write a commented study of a data set, that runs as it is: two claims, and a search before them."""
    from reid_search.data.checks import check_alone
    from reid_search.data.dataset import dataset_of
    from reid_search.errors import RequestError
    from reid_search.study import load_study

    if to.exists():
        raise RequestError(f"{to}: exists already; name another file with --to")
    if not to.parent.is_dir():
        raise RequestError(f"{to.parent}: no such folder")
    config = config_of_folder(data, name, settings_of_set(sets, skip_broken))
    dataset = dataset_of(config.name, config.listing())
    check_alone(dataset, config)
    kind = "gpu" if (_has_gpu() if gpu is None else gpu) else "cpu"
    to.write_text(_study(kind, config, dataset, data, to))
    try:
        load_study(to)
    except BaseException:
        to.unlink()  # what cannot run is not left behind
        raise
    say(f"next: reid-search run {shlex.quote(str(to))}")
    answer(str(to))


def _study(kind: str, config: "FolderConfig", dataset: "ReidDataset", folder: Path, to: Path) -> str:
    """Return the text of a study of a data set."""
    people = dataset.train["identity"].nunique()
    return Template((resources.files("reid_search.cli") / "starters" / f"{kind}.yaml").read_text()).substitute(
        name=re.sub(r"[^A-Za-z0-9_.-]+", "_", folder.resolve().stem).lstrip("_.-")[:60] or "study",
        folder=folder.name,
        file=shlex.quote(str(to)),
        about=f"{several(len(dataset.train), 'image')} of {several(people, 'identity')} to learn from",
        data="\n".join(f"    {entry}: {_plain(value)}" for entry, value in config.told.items()),
        ids=max(2, min(_MOST_PEOPLE[kind], int(people * (1 - _HELD_OUT)))),
    )


def _plain(value: object) -> str:
    """Write a value as YAML, without quotes where text needs none."""
    text = json.dumps(value, ensure_ascii=False)
    return text.strip('"') if re.fullmatch(r'"[A-Za-z/][\w./-]*"', text, flags=re.ASCII) else text


def _has_gpu() -> bool:
    """Say whether this machine has a GPU, without loading torch."""
    return shutil.which("nvidia-smi") is not None
