"""Studies on disk with numbers chosen here: a search of six proposals and an ablation of four arms with three seeds."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from reid_search.records import CodeVersion, ReadoutResult, Record, RunContext, StudyStore
from reid_search.records.files import append_lines, write_atomically
from reid_search.study import TrialConfig, trial_key

FINGERPRINT = "00ff00ff00ff00ff"
SEARCH_SEED = 10_000
VARIANT = "default-3fa9c1"

STUDY_FILE = """\
name: mgn
base:
  data: {name: synthetic, preset: small, image_size: [64, 32], holdout: 0.2, split_seed: 0}
  model: {architecture: mgn, parts: [1, 2, 3]}
  training: {images: 2000, report_every: 500}
  readouts: {default: {taps: [reduced], normalize: all, flip: true, metric: cosine}}
axes:
  model.parts: {choice: [[1], [1, 2], [1, 2, 3]]}
  losses.triplet.margin: {uniform: [0.1, 2.0], levels: [0.3, 1.2]}
  readouts.default.flip: {choice: [true, false]}
phases:
- {kind: search, name: search, sampler: tpe, trials: 6, objective: val/mAP}
- {kind: ablate, name: ablate, design: one_factor, around: best, seeds: 3, evaluate: test}
seed: 0
versions: {reid-search: 0.1.0, torch: 2.15.0}
git_commit: 0123456789abcdef
command: reid-search run mgn.yaml
"""

MARGIN, PARTS, FLIP = "losses.triplet.margin=0.3", "model.parts=[1]", "readouts.default.flip=false"
CENTRE = {"model.parts": "[1, 2, 3]", "losses.triplet.margin": "1.2", "readouts.default.flip": "true"}
# The flip arm is another readout of the baseline's training.
KEYS = {"baseline": "a" * 16, PARTS: "b" * 16, MARGIN: "c" * 16, FLIP: "a" * 16}
# Test mAP of the seeds in order; None fails.
TEST_MAP: dict[str, tuple[float | None, ...]] = {
    "baseline": (0.612, 0.598, 0.607, 0.603, 0.609, 0.606, 0.611, 0.599, 0.605, 0.608, 0.601, 0.61),
    PARTS: (0.551, 0.540, 0.549, 0.541, 0.552, 0.546, 0.556, 0.537, 0.549, 0.547, 0.543, 0.548),
    MARGIN: (0.631, None, 0.618, 0.620, 0.611, 0.602, 0.624, 0.603, 0.6, 0.613, 0.606, 0.609),
    FLIP: (0.609, 0.601, 0.603, 0.604, 0.606, 0.607, 0.608, 0.602, 0.603, 0.6095, 0.6, 0.6085),
}
RANK1 = {"baseline": 0.80, PARTS: 0.77, MARGIN: 0.79, FLIP: 0.802}
# Validation mAP of the proposals in order; the fifth is stopped after two epochs, the sixth fails.
PROPOSALS = (0.42, 0.47, 0.44, 0.53)
STOPPED_AT = 0.15
HOSTILE = "the loss is NaN at step 17 <script>alert(1)</script> | a | b"


class StudyBuilder:
    """Writes a study piece by piece, the way a run leaves it.

    Args:
        store: Where.
    """

    def __init__(self, store: StudyStore) -> None:
        self.store = store

    @property
    def path(self) -> Path:
        return self.store.path

    def begin(self, text: str = STUDY_FILE) -> None:
        """Write `study.yaml` and the log's `run` event."""
        write_atomically(self.store.study_file, text)
        self.run()

    def log(self, event: str, **fields: Any) -> None:
        """Append an event as version 1 of the log wrote it."""
        self.log_many(event, [fields])

    def log_many(self, event: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append several events of one kind."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        append_lines(self.store.log.path, [{"event": event, "time": time, **fields} for fields in rows])

    def run(self) -> None:
        self.log("run", command="reid-search run mgn.yaml", versions={}, git_commit=None)

    def ask_proposal(self, number: int, *, space: str = "5" * 16, phase: str = "search", margin: str = "0.6") -> str:
        """Log a proposal and return its key."""
        key = f"{space[0]}{number:015x}"
        self.log(
            "ask", phase=phase, kind="search", number=number, key=key, seed=SEARCH_SEED, evaluate="val", by="tpe",
            settings={"model.parts": "[1, 2, 3]", "losses.triplet.margin": margin}, space=space, params={},
        )  # fmt: skip
        return key

    def search(self) -> None:
        """Write the asks and trials of the search."""
        for number, value in enumerate(PROPOSALS):
            key = self.ask_proposal(number, margin=f"0.{number + 3}")
            self.trial(key, SEARCH_SEED, holdout=0.2, readouts={"default": measured("val", value, value + 0.2)})
        reason = "stopped after epoch 2 by successive_halving"
        self.trial(self.ask_proposal(4), SEARCH_SEED, status="stopped", reason=reason, epochs=(0.1, STOPPED_AT))
        self.trial(self.ask_proposal(5), SEARCH_SEED, status="failed", reason=HOSTILE, epochs=())

    def ask_arms(self, arms: Iterable[str] = tuple(TEST_MAP), seeds: int = 3, **other: Any) -> None:
        """Log the asks of an ablation, seed after seed."""
        rows = []
        for seed in range(1, seeds + 1):
            for arm in arms:
                path, _, level = arm.partition("=")
                rows.append({
                    "phase": "ablate", "kind": "ablate", "arm": arm, "key": KEYS.get(arm, "f" * 16), "seed": seed,
                    "evaluate": "test", "settings": CENTRE | ({path: level} if level else {}), "by": "one_factor",
                    "readouts": {"default": VARIANT if arm == FLIP else "default"},
                } | other)  # fmt: skip
        self.log_many("ask", rows)

    def ablation(self, seeds: int = 3) -> None:
        """Write the asks and trials of the ablation."""
        self.ask_arms(seeds=seeds)
        for seed in range(1, seeds + 1):
            for arm in ("baseline", PARTS, MARGIN):
                self.arm_trial(arm, seed)

    def arm_trial(self, arm: str, seed: int, key: str | None = None, **other: Any) -> None:
        """Write the training of an arm; the baseline's is tested with and without flip."""
        key = key or KEYS[arm]
        config = {"parts": [1] if arm == PARTS else [1, 2, 3], "margin": 0.3 if arm == MARGIN else 1.2}
        value, rank1 = TEST_MAP[arm][seed - 1], seed / 1000
        if value is None:
            self.trial(key, seed, status="failed", reason="its process died again and again", **config, **other)
            return
        readouts = {"default": measured("test", value, RANK1[arm] + rank1)}
        if arm == "baseline":
            readouts[VARIANT] = measured("test", TEST_MAP[FLIP][seed - 1] or 0.0, RANK1[FLIP] + rank1, flip=False)
        self.trial(key, seed, readouts=readouts, **config, **other)

    def real_key(self, arm: str) -> str:
        """Return the key that the config of an arm makes, without which no record that notes its code is read."""
        config = config_of([1] if arm == PARTS else [1, 2, 3], 0.3 if arm == MARGIN else 1.2, 0.0)
        return trial_key(TrialConfig.model_validate(config), FINGERPRINT)

    def trial(
        self,
        key: str,
        seed: int,
        *,
        parts: Iterable[int] = (1, 2, 3),
        margin: float = 1.2,
        holdout: float = 0.0,
        status: Any = "finished",
        reason: str | None = None,
        readouts: Mapping[str, ReadoutResult] | None = None,
        epochs: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5),
        fingerprint: str = FINGERPRINT,
        record: bool = True,
        code: CodeVersion | None = None,
    ) -> None:
        """Write a trial's folder; without a record it looks interrupted."""
        folder, config = self.store.trial(key, seed), config_of(list(parts), margin, holdout)
        folder.write_config({"key": key, "seed": seed, "data_fingerprint": fingerprint, "config": config})
        for number, value in enumerate(epochs, start=1):
            folder.append_epoch({"epoch": number, "images_seen": 500 * number, "loss": 1 / number, "val/mAP": value})
            folder.add_seconds(2.5 + seed % 10)
        finished = status == "finished"
        result = Record(
            key=key,
            seed=seed,
            status=status,
            reason=reason,
            config=config,
            data_fingerprint=fingerprint,
            device_type="cpu",
            images_seen=500 * len(epochs),
            parameters={"model": 24_558_656, "losses": 1_536_000} if finished else {},
            macs=1_210_000_000 if finished else None,
            readouts=dict(readouts or {}) if finished else {},
            code=code,
            context=RunContext(
                seconds=folder.seconds(),
                host="node-1",
                device="cpu",
                versions={"reid-search": "0.1.0", "torch": "2.15.0"},
                git_commit="0123456789abcdef",
                ended="2026-11-24T12:00:00+00:00",
            ),
        )
        if record:
            folder.write_record(result)


def config_of(parts: list[int], margin: float, holdout: float) -> dict[str, Any]:
    """Return a trial's config, as plain data."""
    return {
        "data": {"name": "synthetic", "preset": "small", "image_size": [64, 32], "holdout": holdout, "split_seed": 0},
        "model": {"architecture": "mgn", "parts": parts},
        "losses": {"triplet": {"kind": "triplet", "on": ["global@reduced"], "margin": margin}},
        "training": {"images": 2000, "report_every": 500},
        "readouts": {"default": {"taps": ["reduced"], "normalize": "all", "flip": True, "metric": "cosine"}},
    }


def measured(split: str, mean_ap: float, rank1: float, *, flip: bool = True) -> ReadoutResult:
    """Return a readout's result whose other numbers follow from these two."""
    cmc = [1 - (1 - rank1) * 0.8**rank for rank in range(50)]
    return ReadoutResult(
        config={"taps": ["reduced"], "normalize": "all", "flip": flip, "metric": "cosine"},
        dim=1792,
        metrics={
            f"{split}/mAP": mean_ap,
            f"{split}/mAP_trapezoidal": mean_ap - 0.013,
            f"{split}/rank1": rank1,
            f"{split}/rank5": cmc[4],
            f"{split}/rank10": cmc[9],
            f"{split}/mINP": mean_ap / 3,
            f"{split}/queries_without_match": 0.0,
        },
        cmc={split: cmc},
    )


@pytest.fixture
def empty(tmp_path: Path) -> StudyBuilder:
    """Return a study of which nothing is written yet."""
    return StudyBuilder(StudyStore(tmp_path / "runs", "mgn"))


@pytest.fixture
def study(empty: StudyBuilder) -> StudyBuilder:
    """Return the whole study: search and ablation."""
    empty.begin()
    empty.search()
    empty.ablation()
    empty.log("done")
    return empty


BACKGROUNDS, POOLING = "data.nuisances.backgrounds", "model.pooling"
FACTORS = {BACKGROUNDS: ("plain", "strong"), POOLING: ("avg", "max", "gem")}
FINGERPRINTS = {"plain": FINGERPRINT, "strong": "1234123412341234"}


def factorial_values(seeds: int = 4) -> dict[str, list[float]]:
    """Return test mAP by seed of every arm of two data sets and three poolings, the baseline first."""
    noise = np.random.default_rng(7).normal(0, 0.004, (6, seeds))
    worth = {("plain", "avg"): 0.60, ("plain", "max"): 0.62, ("plain", "gem"): 0.61,
             ("strong", "avg"): 0.40, ("strong", "max"): 0.41, ("strong", "gem"): 0.48}  # fmt: skip
    return {
        _factorial_arm(*levels): (mean + row).round(6).tolist()
        for (levels, mean), row in zip(worth.items(), noise, strict=True)
    }


def _factorial_arm(backgrounds: str, pooling: str) -> str:
    changed = [f"{BACKGROUNDS}=strong"] * (backgrounds == "strong") + [f"{POOLING}={pooling}"] * (pooling != "avg")
    return ", ".join(changed) or "baseline"


@pytest.fixture
def factorial(empty: StudyBuilder) -> StudyBuilder:
    """Return a 2 × 3 factorial over a data axis, finished in four seeds: two protocols of three arms each."""
    empty.begin()
    values = factorial_values()
    levels = itertools.product(*FACTORS.values())
    for number, ((backgrounds, pooling), (arm, found)) in enumerate(zip(levels, values.items(), strict=True)):
        key = f"{number:016x}"
        settings = {BACKGROUNDS: backgrounds, POOLING: pooling}
        empty.ask_arms([arm], seeds=4, key=key, settings=settings, by="factorial", readouts={"default": "default"})
        for seed, value in enumerate(found, start=1):
            result = measured("test", value, value + 0.1)
            empty.trial(key, seed, fingerprint=FINGERPRINTS[backgrounds], readouts={"default": result})
    return empty


@pytest.fixture
def factorial_map() -> dict[str, list[float]]:
    """Return test mAP by arm and seed of `factorial`."""
    return factorial_values()


def query_table(precisions: Sequence[float], identities: Sequence[int], split: str = "test") -> pa.Table:
    """Return a table of queries as a training writes it, with these average precisions."""
    count = len(precisions)
    return pa.table({
        "split": [split] * count,
        "image": [f"{index:04}.jpg" for index in range(count)],
        "identity": list(identities),
        "average_precision": list(precisions),
        "average_precision_trapezoidal": list(precisions),
        "inverse_negative_penalty": list(precisions),
        "first_match_rank": [1] * count,
    })  # fmt: skip


@pytest.fixture
def write_queries() -> Callable[..., None]:
    """Write the queries of a trial: `(study, key, seed, precisions, identities)`."""

    def write(study: StudyBuilder, key: str, seed: int, precisions: Sequence[float], identities: Sequence[int]) -> None:
        study.store.trial(key, seed).write_per_query("default", query_table(precisions, identities))

    return write


@pytest.fixture
def study_text() -> str:
    """Return the study file of `study`."""
    return STUDY_FILE


@pytest.fixture
def result_of() -> Callable[..., ReadoutResult]:
    """Make a readout's result of a split, its mAP and its Rank-1."""
    return measured
