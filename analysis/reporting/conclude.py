"""What a study found, in a few lines for a terminal, from the tables of its last report."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from reid_search.records import Collapse, SeedCounts, StudyStore

from ..answers.collapse import why_no_effect
from ..answers.family import family_of
from ..statistics.verdict import CONTRADICTED, SUPPORTED, UNDECIDED
from .claims import verdicts, whom_all_told
from .describe_family import describe_family, looks_at_tables
from .formats import listed, percent, points


def conclusion(study_dir: Path | str) -> list[str]:
    """Return one line per ablation of `<storage>/<study>` (the centre's mean, arms that differ), then its claims.

    What the family counts beside them and how often tables were looked at comes last.
    """
    store = StudyStore.at(Path(study_dir).resolve())
    tables = store.report / "tables"
    phases = store.study().get("phases")
    maps = [phase for phase in phases if isinstance(phase, Mapping)] if isinstance(phases, list) else []
    splits = {str(phase.get("name")): str(phase.get("evaluate", "test")) for phase in maps}
    lines = [_ablation(path, splits) for path in sorted(tables.glob("contrasts-*.csv")) if "--" not in path.stem]
    lines += _collapsed(tables / "arms.csv")
    claims = verdicts(study_dir)
    if claims:
        counts = Counter(verdict for _, verdict, _ in claims)
        known = [f"{counts.pop(verdict, 0)} {verdict}" for verdict in (SUPPORTED, CONTRADICTED, UNDECIDED)]
        others = [f"{count} {verdict}" for verdict, count in counts.items()]
        whom = whom_all_told(study_dir)
        lines.append(f"Claims: {', '.join([*known, *others])}{f'; all about {whom}' * bool(whom)}")
    lines += [f"  {name}: {verdict}. {said[0].upper()}{said[1:]}" for name, verdict, said in claims]
    history = store.log.history([])
    return [*lines, *describe_family(family_of(store, history)), *looks_at_tables(store, history)]


def _ablation(path: Path, splits: Mapping[str, str]) -> str:
    rows = pd.read_csv(path)
    name = path.stem.removeprefix("contrasts-")
    known = rows[rows["baseline_mean"].notna()]
    if known.empty:
        return f"{name}: nothing to compare yet"
    mean = percent(known.iloc[0]["baseline_mean"])
    centre = f"{name}: the baseline has {mean} % {splits.get(name, 'test')}/mAP, the mean over its seeds"
    found = [_arms(known, verdict) for verdict in ("better", "worse") if (known["verdict"] == verdict).any()]
    return f"{centre}; after correction {' and '.join(found) if found else 'no arm is known to differ'}"


def _collapsed(path: Path) -> list[str]:
    """Return a line for each arm that lost seeds; several readouts of an arm have one, if they lost the same."""
    if not path.exists():
        return []
    rows = pd.read_csv(path, dtype={"collapsed": "str"}).reindex(
        columns=["phase", "arm", "readout", "status", "collapsed"]
    )
    lines = []
    for (phase, arm, _), own in rows.fillna("").groupby(["phase", "arm", "readout"], sort=False):
        counts = SeedCounts.of(zip(own["status"], map(Collapse, own["collapsed"]), strict=True))
        if counts.lost:
            nothing = f"; {why_no_effect({str(arm): str(counts.flag)})}" if counts.flag else ""
            lines.append(f"{phase}, {arm}: {counts}{nothing}")
    return list(dict.fromkeys(lines))


def _arms(rows: pd.DataFrame, verdict: str) -> str:
    chosen = rows[rows["verdict"] == verdict]
    arms = [f"{arm} ({points(delta)})" for arm, delta in zip(chosen["arm"], chosen["delta"], strict=True)]
    return f"{listed(arms)} {'is' if len(arms) == 1 else 'are'} {verdict}"
