"""Commands on single trials: `train`, `evaluate`, `export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_search.cli.console import answer, answer_json, percent, say
from reid_search.cli.options import DEFAULT_STORAGE, AsJson, Data, Sets, SkipBroken, Storage, settings
from reid_search.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reid_search.records import ReadoutResult, Record

RecordFolder = Annotated[
    Path, typer.Argument(help="Folder of a trial, runs/STUDY/trials/KEY-sSEED, or its record.json.", metavar="RECORD")
]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto: cuda where there is one.")]


def train(
    config_file: Annotated[
        Path,
        typer.Argument(
            help="A trial config, a study whose base is trained, or the config.json of a trial to repeat.",
            metavar="CONFIG",
        ),
    ],
    data: Data = None,
    storage: Storage = DEFAULT_STORAGE,
    sets: Sets = None,
    skip_broken: SkipBroken = False,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Seed of initial values, order and augmentation. Default: 1, or that of the trial to repeat.",
            min=0,
            show_default=False,
        ),
    ] = None,
    device: Device = "auto",
    holdout: Annotated[
        bool | None,
        typer.Option(
            "--holdout/--no-holdout",
            help="Hold the validation part out, as a search does. Default: no, or as the trial to repeat did.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train and test one trial in this process, without Ray. If killed, it resumes from its last epoch."""
    from reid_search.backbones.weights import examine_weights
    from reid_search.data import open_trial_data
    from reid_search.records import Status, StudyStore
    from reid_search.study import Fingerprints, load_trial_file, trial_key
    from reid_search.training import TrialRequest, run_trial

    read = load_trial_file(config_file, settings(sets, skip_broken), data)
    config, repeats = read.config, read.seed is not None
    seed = next(known for known in (seed, read.seed, 1) if known is not None)
    if not (repeats if holdout is None else holdout):
        config = config.model_copy(update={"data": config.data.model_copy(update={"holdout": 0.0})})
    Fingerprints().check(config.data)
    chosen = _device(device)
    for loaded in examine_weights([config.model], fetch=True):
        for line in loaded.lines():
            say(f"weights: {line}")
    facts = open_trial_data(config, seed).facts
    if str(facts):
        say(f"data: {facts}")
    key = trial_key(config, facts.fingerprint)
    folder = StudyStore(storage, "single").trial(key, seed)
    say(f"{folder.path}: {config.training.epochs} epochs on {chosen}")
    evaluate = ("val", "test") if config.data.holdout else ("test",)
    request = TrialRequest(config, seed, key, evaluate, device=chosen)  # type: ignore[arg-type]
    record = run_trial(request, folder)
    if as_json:
        answer_json(record.model_dump())
    else:
        _print(record)
    if record.status == Status.FAILED:
        say(f"failed: {record.reason}")
        raise typer.Exit(1)


def evaluate(record_folder: RecordFolder, data: Data = None, device: Device = "auto", as_json: AsJson = False) -> None:
    """Test a trained trial again from its saved weights, on its own data set or on another one (--data)."""
    from reid_search.training.revisit import measure_again

    results = measure_again(record_folder, data, _device(device))
    if as_json:
        answer_json({name: result.model_dump() for name, result in results.items()})
        return
    _print_metrics(results)


def export(
    record_folder: RecordFolder,
    target: Annotated[Path, typer.Argument(help="The file to write, model.safetensors.")] = Path("model.safetensors"),
) -> None:
    """Write the weights of a trial's model (not of its losses), and its config beside them."""
    from reid_search.training.revisit import export_model

    answer(str(export_model(record_folder, target)))


def _print(record: "Record") -> None:
    _print_metrics(record.readouts)
    for name, count in record.parameters.items():
        answer(f"parameters of the {name}: {count:,}")


def _print_metrics(results: "Mapping[str, ReadoutResult]") -> None:
    for name, result in results.items():
        metrics = {key: value for key, value in result.metrics.items() if not key.endswith("queries_without_match")}
        answer(f"{name}: " + ", ".join(f"{metric} {percent(value)}" for metric, value in metrics.items()))


def _device(wanted: str) -> str:
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted not in ("cpu", "cuda"):
        raise RequestError(f"--device {wanted}: allowed: auto, cpu, cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise RequestError("--device cuda: no GPU is visible here; allowed: auto, cpu")
    return wanted
