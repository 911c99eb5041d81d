"""What training is worth: each trained trial of a study against its untrained network and a random ranking.

    uv run python benchmarks/untrained.py runs/mgn

Prints a line per arm of the study's ablations: mean average precision on the test split of a random ranking, of the
network as initialised (same seeds), and as trained, and the ratios between them.
"""

import sys
from pathlib import Path

import pandas as pd
import torch

from reid_search.analysis import load_arms
from reid_search.data import open_trial_data
from reid_search.records import StudyStore
from reid_search.study import TrialConfig
from reid_search.training.determinism import deterministic
from reid_search.training.measuring import readout_plans
from reid_search.training.trainer import Trainer


def untrained(store: StudyStore, key: str, seed: int, readout: str) -> tuple[float, float]:
    """Return the chance level and the mAP of a trial before its first step."""
    record = store.trial(key, seed).record()
    if record is None:
        raise SystemExit(f"{key}-s{seed} has no record")
    config = TrialConfig.model_validate(record.config)
    data = open_trial_data(config, seed)
    with deterministic(threads=1):
        trainer = Trainer(config, data, seed, torch.device("cpu"))
        ranking = trainer.rank({readout: readout_plans(config)[readout]}, data.sets["test"])
    return record.readouts[readout].metrics["test/mAP_chance"], ranking[readout].mean_ap


def main() -> None:
    """Print the table."""
    store = StudyStore.at(Path(sys.argv[1]))
    arms = load_arms(store.path)
    arms = arms[arms["status"] == "finished"]
    measured = [untrained(store, row.key, row.seed, row.stored_as) for row in arms.itertuples()]
    arms = arms.assign(chance=[chance for chance, _ in measured], untrained=[value for _, value in measured])
    table = arms.groupby(["phase", "arm"], sort=False)[["chance", "untrained", "test/mAP"]].mean()
    table["untrained/chance"] = table["untrained"] / table["chance"]
    table["trained/untrained"] = table["test/mAP"] / table["untrained"]
    with pd.option_context("display.width", 160, "display.float_format", "{:.3f}".format):
        print(table.to_string())


if __name__ == "__main__":
    main()
