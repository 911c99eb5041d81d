"""How long the report of a large study takes: 10,000 made-up trials of 50 epochs, written as a run leaves them.

    uv run python benchmarks/report.py             # 10,000 trials
    uv run python benchmarks/report.py 1000

An ablation of 20 arms with 5 seeds and its per-query tables, and a search of all other trials. Prints seconds, the
ratio to reading alone (parsing each `record.json` and `epochs.jsonl`), and the peak memory of a separate process.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

EPOCHS, ARMS, SEEDS, QUERIES = 50, 20, 5, 300
RANKS = 50


def write_study(folder: Path, trials: int) -> None:
    """Write a study of this many trials."""
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text(
        "name: large\n"
        "axes: {model.parts: {choice: [1, 2, 3]}, training.optimizer.lr: {log_uniform: [1.0e-4, 1.0e-2]}}\n"
        f"phases:\n- {{kind: search, name: search, sampler: random, trials: {trials}}}\n"
        "- {kind: ablate, name: ablate, design: one_factor, around: base, seeds: 5}\n"
    )
    events = [{"event": "run", "time": "2026-01-01T00:00:00.000+00:00", "command": "", "versions": {}}]
    for number in range(trials - ARMS * SEEDS):
        key, rate, parts = f"{number:016x}", float(10 ** generator.uniform(-4, -2)), int(generator.integers(1, 4))
        value = 0.4 + 0.05 * parts - 0.05 * abs(np.log10(rate) + 3) + 0.02 * float(generator.standard_normal())
        settings = {"model.parts": str(parts), "training.optimizer.lr": f"{rate:.4g}"}
        events.append(
            _ask("search", key, 10_000, settings, number=number, evaluate="val", by="random", space="0", params={})
        )
        _write_trial(folder, key, 10_000, "val", value, generator)
    for arm in range(ARMS):
        name = f"model.parts={arm}" if arm else "baseline"
        for seed in range(1, SEEDS + 1):
            value = 0.5 + 0.01 * (arm % 4) + 0.02 * float(generator.standard_normal())
            events.append(
                _ask("ablate", f"{arm:x}".rjust(16, "f"), seed, {"model.parts": str(arm)}, arm=name, evaluate="test",
                     by="one_factor")
            )  # fmt: skip
            _write_trial(folder, f"{arm:x}".rjust(16, "f"), seed, "test", value, generator)
    (folder / "asked.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))


def _ask(kind: str, key: str, seed: int, settings: dict[str, str], **other: object) -> dict[str, object]:
    time_of = "2026-01-01T00:00:01.000+00:00"
    shared = {"event": "ask", "time": time_of, "phase": kind, "kind": kind, "key": key, "seed": seed}
    return shared | {"settings": settings, "readouts": {"default": "default"}} | other


def _write_trial(folder: Path, key: str, seed: int, split: str, value: float, generator: np.random.Generator) -> None:
    trial = folder / "trials" / f"{key}-s{seed}"
    trial.mkdir(parents=True)
    rows = [
        {"epoch": epoch, "images_seen": 500 * epoch, "loss": 3.0 / epoch, "val/mAP": value * epoch / EPOCHS}
        for epoch in range(1, EPOCHS + 1)
    ]
    (trial / "epochs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    cmc = [1 - (1 - value) * 0.9**rank for rank in range(RANKS)]
    names = {"mAP": value, "mAP_trapezoidal": value, "rank1": cmc[0], "rank5": cmc[4], "rank10": cmc[9], "mINP": value}
    metrics = {f"{split}/{name}": number for name, number in names.items()}
    record = {
        "schema_version": 1, "key": key, "seed": seed, "status": "finished",
        "config": {"model": {"parts": [1]}, "data": {"name": "made-up"}},
        "data_fingerprint": "0" * 16, "device_type": "cpu", "images_seen": 500 * EPOCHS,
        "parameters": {"model": 1_000_000, "losses": 1000}, "macs": 1_000_000,
        "readouts": {"default": {"config": {"taps": ["reduced"]}, "dim": 64, "metrics": metrics, "cmc": {split: cmc}}},
        "context": {
            "seconds": 10.0, "host": "host", "device": "cpu", "versions": {}, "ended": "2026-01-01T01:00:00+00:00",
        },
    }  # fmt: skip
    (trial / "record.json").write_text(json.dumps(record))
    if split == "test":
        _write_queries(trial / "readouts" / "default", value, generator)


def _write_queries(folder: Path, value: float, generator: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    precision = np.clip(value + 0.2 * generator.standard_normal(QUERIES), 0, 1)
    pd.DataFrame({
        "split": "test", "image": [f"{query}.jpg" for query in range(QUERIES)],
        "identity": np.arange(QUERIES) // 3, "camera": 1, "average_precision": precision,
        "average_precision_trapezoidal": precision, "inverse_negative_penalty": precision, "first_match_rank": 1,
    }).to_parquet(folder / "per_query.parquet")  # fmt: skip


def read_all(folder: Path) -> None:
    """Parse every record and every epoch once."""
    for trial in sorted((folder / "trials").iterdir()):
        json.loads((trial / "record.json").read_text())
        for line in (trial / "epochs.jsonl").read_text().splitlines():
            json.loads(line)


def timed(task: str, folder: Path) -> tuple[float, float]:
    """Return seconds and peak memory in GB of a task in a separate process."""
    answer = subprocess.run([sys.executable, __file__, task, str(folder)], check=True, capture_output=True, text=True)
    seconds, memory = answer.stdout.split()[-2:]
    return float(seconds), float(memory)


def main() -> None:
    """Write a study, time both tasks and print the result."""
    if sys.argv[1:2] in (["report"], ["read"]):
        from analysis import write_report

        begin = time.perf_counter()
        (write_report if sys.argv[1] == "report" else read_all)(Path(sys.argv[2]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(time.perf_counter() - begin, peak)
        return
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as storage:
        folder = Path(storage) / "large"
        write_study(folder, trials)
        report, memory = timed("report", folder)
        reading, _ = timed("read", folder)
    print(
        f"{trials:,} trials × {EPOCHS} epochs: report {report:.1f} s, {memory:.2f} GB; {report / reading:.1f} × reading"
    )


if __name__ == "__main__":
    main()
