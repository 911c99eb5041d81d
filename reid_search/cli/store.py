"""Commands on the results of studies: `status`, `report`, `compare`, `sync`, `ui`."""

import json
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reid_search.cli.console import answer, answer_console, answer_json, percent, say
from reid_search.cli.options import DEFAULT_STORAGE, AsJson
from reid_search.cli.options import Storage as StorageFolder
from reid_search.errors import RequestError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reid_search.records import Ask, SeedCounts, StudyState, StudyStore

Which = Annotated[
    str | None,
    typer.Argument(help="A study's name, file or folder; not needed if there is only one.", metavar="STUDY"),
]


def status(which: Which = None, storage: StorageFolder = DEFAULT_STORAGE, as_json: AsJson = False) -> None:
    """Show how far a study is: trials by status, each search's best, each ablation's baseline, what failed."""
    from reid_search.records import Status, read_state

    state = read_state(find_store(which, storage), tolerant=True)
    at_work = state.store.is_at_work
    counts = Counter(
        Status.INTERRUPTED if trial.status == Status.RUNNING and not at_work else trial.status
        for trial in state.trials.values()
    )
    waiting = len(state.asked_now - set(state.trials))
    counts.update({Status.WAITING: waiting} if waiting else {})
    wrong = (Status.FAILED, Status.UNREADABLE)
    failed = {str(trial.id): trial.reason or "" for trial in state.trials.values() if trial.status in wrong}
    phases: list[dict[str, Any]] = [
        *(_search_status(state, phase) for phase in state.searches),
        *(_ablation_status(state, phase) for phase in state.ablations),
    ]
    if as_json:
        answer_json({"study": state.name, "at_work": at_work, "trials": counts, "phases": phases, "failed": failed})
        return
    answer(f"{state.name}: " + (", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "no trials"))
    for phase in phases:
        answer(f"  {phase['phase']}: {phase['done']} of {phase['asked']} done{_best_text(phase)}")
        for arm, ended in phase.get("lost", {}).items():
            answer(f"    {arm}: {ended['words']}" + f"; {ended['flag']} in every seed: no effect" * bool(ended["flag"]))
    for name, reason in failed.items():
        answer(f"  failed {name}: {reason}")
    for problem in state.problems:
        say(problem)


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
    from reid_search.tracking import serve_ui

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


def _search_status(state: "StudyState", phase: str) -> dict[str, object]:
    from reid_search.analysis import best_values

    asks, best = [*state.searches[phase], *state.finalists[phase]], state.best(phase)
    found: dict[str, object] = {"phase": phase, "asked": len(asks), "done": _done(state, asks)}
    if best is None:
        return found
    worth = best_values(state)[phase]
    shown = {"objective": state.objective(phase), "value": worth.shown, "readout": state.readout(best)}
    fresh = {"raw": worth.raw, "fresh_seeds": worth.seeds, "how": worth.how} if worth.seeds else {}
    shown |= {"collapse": state.collapse(best)}
    return found | {"best": {"number": best.number, "key": best.key, **shown, **fresh}}


def _ablation_status(state: "StudyState", phase: str) -> dict[str, object]:
    asks = state.ablations[phase]
    arms: dict[str, list[float]] = {}
    for ask in asks:
        value = state.value(ask)
        arms.setdefault(ask.arm, []).extend([] if value is None else [value])
    means = {arm: statistics.fmean(values) for arm, values in arms.items() if values}
    metric = next((state.metric(ask) for ask in asks), "")
    lost = {arm: _ended(counts) for arm, counts in state.seed_counts(phase).items() if counts.lost}
    found = {"phase": phase, "asked": len(asks), "done": _done(state, asks), "metric": metric, "arms": means}
    return found | ({"lost": lost} if lost else {})


def _ended(counts: "SeedCounts") -> dict[str, object]:
    low, high = counts.interval
    numbers = {"ended": counts.ended, "collapsed": counts.collapsed, "failed": counts.failed, "low": low, "high": high}
    return {**numbers, "flag": counts.flag.words, "words": str(counts)}


def _done(state: "StudyState", asks: "Sequence[Ask]") -> int:
    from reid_search.records import Status

    return sum(state.status(ask) in (Status.FINISHED, Status.STOPPED, Status.FAILED) for ask in asks)


def _best_text(phase: "Mapping[str, Any]") -> str:
    from reid_search.study import BASELINE

    best, centre = phase.get("best"), phase.get("arms", {}).get(BASELINE)
    if best:
        how = f" ({best['how']})" if "how" in best else ""
        nothing = f" ({best['collapse'].words})" if best["collapse"] else ""
        return f", best so far #{best['number']}: {percent(best['value'])} % {best['objective']}{how}{nothing}"
    return f", {BASELINE} {percent(centre)} % {phase['metric']} on average" if centre is not None else ""
