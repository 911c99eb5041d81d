"""Commands on what a study left: `status`, `report`, `sync`, `ui`."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_search.cli.console import answer, answer_console, answer_json, say
from reid_search.cli.options import DEFAULT_STORAGE, AsJson, Storage
from reid_search.errors import RequestError, nearest

if TYPE_CHECKING:
    from reid_search.records import StudyStore

Which = Annotated[
    str | None,
    typer.Argument(help="Name of a study, its file, or its folder; the only one there is if omitted.", metavar="STUDY"),
]


def status(which: Which = None, storage: Storage = DEFAULT_STORAGE, as_json: AsJson = False) -> None:
    """Say how far a study is: trials finished, stopped early, failed, not over."""
    store = find_store(which, storage)
    folders = list(store.trials())
    records = {folder.path.name: folder.record() for folder in folders}
    counts = Counter(record.status if record else "unfinished" for record in records.values())
    failed = {name: record.reason for name, record in records.items() if record and record.status == "failed"}
    if as_json:
        answer_json({"study": store.name, "trials": dict(counts), "failed": failed})
        return
    answer(f"{store.name}: " + (", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "no trials"))
    for name, reason in failed.items():
        answer(f"  failed {name}: {reason}")


def report(which: Which = None, storage: Storage = DEFAULT_STORAGE) -> None:
    """Write the report of a study anew from its records and print where it is."""
    from reid_search.analysis import write_report

    answer(str(write_report(find_store(which, storage).path)))


def compare(
    which: Annotated[list[str], typer.Argument(help="Names or folders of studies; the first is compared with.")],
    storage: Storage = DEFAULT_STORAGE,
    metric: Annotated[str, typer.Option(help="Measurement to compare.")] = "test/mAP",
    readout: Annotated[str, typer.Option(help="Readout to compare.")] = "default",
    as_json: AsJson = False,
) -> None:
    """Put studies side by side: what each arm reached, and how far arms of the same name differ from the first's."""
    from rich.table import Table
    from rich.text import Text

    from reid_search.analysis import compare_studies, comparison_sheet

    rows = compare_studies([find_store(name, storage).path for name in which], metric, readout)
    if as_json:
        answer_json(json.loads(rows.to_json(orient="records")))
        return
    sheet = comparison_sheet(rows, metric)
    title = "studies side by side; Δ is to the first study's arm of the same name"
    table = Table(*(column.title for column in sheet.columns), title=title, title_justify="left")
    for cells in sheet.cells:
        table.add_row(*map(Text, cells))
    answer_console().print(table)


def sync(which: Which = None, storage: Storage = DEFAULT_STORAGE) -> None:
    """Bring MLflow up to date with the records of a study; repeatable at any time."""
    from reid_search.tracking import sync_study

    result = sync_study(find_store(which, storage))
    for warning in result.warnings:
        say(f"MLflow: {warning}")
    if result.warnings:
        sys.exit(1)


def ui(
    storage: Storage = DEFAULT_STORAGE,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 5000,
) -> None:
    """Serve MLflow on 127.0.0.1 until Ctrl-C, to browse every trial of every study in the storage."""
    from reid_search.tracking import serve_ui

    say(f"MLflow: http://127.0.0.1:{port} (Ctrl-C ends it)")
    serve_ui(storage, port=port)


def find_store(which: str | None, storage: Path) -> "StudyStore":
    """Return the store of a study named by its name, its file or its folder.

    Raises:
        RequestError: There is none, or several where none was named.
    """
    from reid_search.records import StudyStore

    known = [path.parent.name for path in sorted(storage.glob("*/study.yaml"))]
    if which is None:
        if len(known) != 1:
            found = f"found {', '.join(known)}; name one" if known else "no study was run there yet"
            raise RequestError(f"{storage}: {found}")
        return StudyStore(storage, known[0])
    path = Path(which)
    if path.is_dir() and (path / "study.yaml").exists():
        return StudyStore.at(path)
    name = which
    if path.is_file():
        from reid_search.study import load_study

        name = load_study(path).name
    if name not in known:
        others = nearest(name, known) if known else "nor was any other; --storage names another place"
        raise RequestError(f"{storage}: no study '{name}' was run there; {others}")
    return StudyStore(storage, name)
