"""What the last report says of each arm, in a few words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from reid_search.records import StudyStore

from .formats import interval, known, points
from .naming import safe


def arm_verdicts(study_dir: Path | str, phases: Sequence[str]) -> Mapping[tuple[str, str], list[str]]:
    """Return what the last report written to `<storage>/<study>` says of each arm, by phase and arm.

    That is its contrast with the centre of its phase (`better: +3.10 [+1.20 to +5.00] points`) and the verdict of each
    claim about it (`parts over global: supported`); nothing of arms that nothing is said of.
    """
    tables = StudyStore.at(Path(study_dir).resolve()).report / "tables"
    found: dict[tuple[str, str], list[str]] = {}
    for phase in phases:
        for arm, said in _contrasts(tables, phase):
            found.setdefault((phase, arm), []).append(said)
    for phase, arm, said in _claims(tables / "claims.csv"):
        found.setdefault((phase, arm), []).append(said)
    return found


def _contrasts(tables: Path, phase: str) -> Iterator[tuple[str, str]]:
    name = safe(f"contrasts-{phase}")
    for path in [tables / f"{name}.csv", *sorted(tables.glob(f"{name}--protocol-*.csv"))]:
        if not path.exists():
            continue
        rows = pd.read_csv(path, keep_default_na=False, na_values={name: [""] for name in ("delta", "low", "high")})
        for arm, verdict, delta, low, high in rows[["arm", "verdict", "delta", "low", "high"]].to_numpy():
            around = f" [{interval(low, high)}]" if known(low) else ""
            if known(delta):
                yield str(arm), f"{verdict}: {points(delta)}{around} points"


def _claims(path: Path) -> Iterator[tuple[str, str, str]]:
    if not path.exists():
        return
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    columns = ["phase", "claim", "verdict", "effect_weights", "control_weights"]
    for phase, claim, verdict, *weights in rows.reindex(columns=columns, fill_value="").to_numpy():
        for arm in dict.fromkeys(arm for text in weights if text for arm in json.loads(text)):
            yield str(phase), str(arm), f"{claim}: {verdict}"
