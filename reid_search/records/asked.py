"""The append-only log of what a study asked for, by whom and when.

A line has `event` and `time`:

* `run`: a run of the study began (`command`, `versions`, `git_commit`, and `planned`: of each phase its name and the
  number of its trials and their images).
* `claim`: a claim was made (`claim`, its name, and `content`, its entry in the study file), at the start of every run.
* `contrast`: a phase began that decides a claim (`claim`, `phase`, `effect` and `control`: weights of arms by name, and
  `missing`, arms that the claim needs and the phase does not have).
* `ask`: a trial was asked for. `phase` (its name), `kind` (`search`, `ablate`, or `step`: a candidate of a path, which
  is no replicate of anything), `number` (search) or `arm` (ablate and step; the centre is `baseline`), `settings` (axis
  path → label), for an arm `tuned` (the same of what a search found for it alone), `key`, `seed`, `evaluate` (`val` or
  `test`), `by` (`tpe`, `one_factor`, ...), `readouts` (name of each readout → name under which the record keeps this
  arm's variant), and for a search `space` (hash of what proposals are drawn from), `params` (what Optuna suggested)
  and, where it tunes each arm of an ablation, `arm` (whose turn it was).
* `stop`: the pruner stopped a trial (`phase`, `number`, `key`, `seed`, `epoch`).
* `step`: a path chose its next step (`phase`, `round`, `objective`, `candidates`: key, seed and readout by axis,
  `values`: the objective by axis, null where a candidate failed, and `axis`, which it took).
* `lost`: a trial's process died too often (`phase`, `key`, `seed`, `reason`).
* `done`: every trial of a run is over.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reid_search.records.files import append_lines, read_lines


class AskedLog:
    """Reads and appends `asked.jsonl`.

    Args:
        path: The log's file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: str, **fields: Any) -> None:
        """Append one event and wait until it is on the disk."""
        self.append_many(event, [fields])

    def append_many(self, event: str, rows: list[dict[str, Any]]) -> None:
        """Append several events of one kind with one wait for the disk."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        append_lines(self.path, [{"event": event, "time": time, **fields} for fields in rows])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the events in order."""
        return read_lines(self.path)
