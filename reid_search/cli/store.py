"""Commands on the results of studies: `report`, `compare`, `sync`, `ui`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_search.cli.console import answer, answer_console, answer_json, say
from reid_search.cli.options import DEFAULT_STORAGE, AsJson
from reid_search.cli.options import Storage as StorageFolder
from reid_search.errors import RequestError, nearest

if TYPE_CHECKING:
    from reid_search.records import StudyStore


def _studies(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of studies that begin so, for completion in a shell."""
    from reid_search.records import Storage

    known = Storage(Path(context.params.get("storage") or DEFAULT_STORAGE)).studies()
    return [store.name for store in known if store.name.startswith(incomplete)]


Which = Annotated[
    str | None,
    typer.Argument(
        help="A study's name, file or folder; not needed if there is only one.",
        metavar="STUDY",
        autocompletion=_studies,
    ),
]


def report(which: Which = None, storage: StorageFolder = DEFAULT_STORAGE) -> None:
    """Rewrite the report of a study from its records and print its path."""
    from reid_search.analysis import write_report

    answer(str(write_report(find_store(which, storage).path)))


def compare(
    which: Annotated[list[str], typer.Argument(help="Names or folders of studies; each is compared with the first.")],
    storage: StorageFolder = DEFAULT_STORAGE,
    metric: Annotated[str, typer.Option(help="Metric to compare.")] = "test/mAP",
    readout: Annotated[str, typer.Option(help="Readout to compare.")] = "default",
    as_json: AsJson = False,
) -> None:
    """Compare studies: what each arm reached, and its difference from the first study's arm of the same name."""
    from rich.table import Table
    from rich.text import Text

    from reid_search.analysis import caveats, compare_studies, comparison_sheet, lost_seeds

    stores = [find_store(name, storage) for name in which]
    rows = compare_studies([store.path for store in stores], metric, readout)
    told = [f"{store.name}: {line}" for store in stores for line in caveats(store.path)]
    if as_json:
        answer_json(json.loads(rows.to_json(orient="records")))
        for line in told:
            say(line)
        return
    sheet = comparison_sheet(rows, metric)
    title = "Δ: difference from the first study's arm of the same name"
    table = Table(*(column.title for column in sheet.columns), title=title, title_justify="left")
    for cells in sheet.cells:
        table.add_row(*map(Text, cells))
    answer_console().print(table)
    for line in (*lost_seeds(rows), *told):
        answer(line)


def sync(which: Which = None, storage: StorageFolder = DEFAULT_STORAGE) -> None:
    """Bring MLflow up to date with the records of a study; safe to repeat."""
    from reid_search.tracking import sync_study

    result = sync_study(find_store(which, storage))
    for warning in result.warnings:
        say(f"MLflow: {warning}")
    if result.warnings:
        sys.exit(1)


def ui(
    storage: StorageFolder = DEFAULT_STORAGE,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 5000,
) -> None:
    """Serve MLflow on 127.0.0.1 until Ctrl-C, to browse every trial of every study in the storage."""
    from reid_search.tracking import page_addresses, serve_ui

    for name, address in page_addresses(storage, port).items():
        say(f"{name}: {address}")
    say(f"MLflow: http://127.0.0.1:{port} (Ctrl-C to stop)")
    serve_ui(storage, port=port)


def find_store(which: str | None, storage: Path) -> "StudyStore":
    """Return the store of a study, given its name, file or folder.

    Raises:
        RequestError: There is no such study, or none was named and there are several.
    """
    from reid_search.records import Storage, StudyStore

    known = [store.name for store in Storage(storage).studies()]
    if which is None:
        if len(known) != 1:
            found = f"found {', '.join(known)}; name one" if known else "no study was run there yet"
            raise RequestError(f"{storage}: {found}")
        return StudyStore(storage, known[0])
    path = Path(which)
    if path.is_dir() and StudyStore.at(path).exists():
        return StudyStore.at(path)
    name = which
    if path.is_file():
        from reid_search.study import load_study

        name = load_study(path).name
    if name not in known:
        others = nearest(name, known) if known else "nor was any other; --storage names another folder"
        raise RequestError(f"{storage}: no study '{name}' was run there; {others}")
    return StudyStore(storage, name)
