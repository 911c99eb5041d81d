"""Commands on single trials: `train`, `evaluate`, `export`."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_search.cli.console import answer, answer_json, percent, say
from reid_search.cli.options import DEFAULT_STORAGE, AsJson, Data, Sets, SkipBroken, Storage, settings, settings_of_set
from reid_search.errors import RequestError, StudyError
from reid_search.words import several

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reid_search.records import ReadoutResult, Record
    from reid_search.study import DataConfig

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
    from reid_search.training.patterns import check_trial_patterns

    read = load_trial_file(config_file, settings(sets, skip_broken), data)
    config, repeats = read.config, read.seed is not None
    seed = next(known for known in (seed, read.seed, 1) if known is not None)
    if not (repeats if holdout is None else holdout):
        config = config.model_copy(update={"data": config.data.model_copy(update={"holdout": 0.0})})
    Fingerprints().check(config)
    check_trial_patterns(config, read.placed)
    chosen = _device(device)
    for loaded in examine_weights([config.model], fetch=True):
        for line in loaded.lines():
            say(f"weights: {line}")
    facts = open_trial_data(config, seed).facts
    if str(facts):
        say(f"data: {facts}")
    key = trial_key(config, facts.fingerprint)
    folder = StudyStore(storage, "single").trial(key, seed)
    say(f"{folder.path}: {several(config.training.epochs, 'epoch')} on {chosen}")
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


def evaluate(
    record_folder: RecordFolder,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder or manifest of any data set, known as `data check` knows it. Default: its own data."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The data set that --data is read as, if it could be several.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of that data set, such as boxes=labelled."),
    ] = None,
    skip_broken: SkipBroken = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Test a trained trial again from its saved weights, on its own data or on another data set, by that set's rule."""
    from reid_search.training.revisit import measure_again, trained_config

    own = trained_config(record_folder).data
    if data is None and (name or sets):
        raise RequestError("--name and --set are of another data set; give its folder with --data")
    if data is not None:
        other: DataConfig | None = _data_at(data, own, name, settings_of_set(sets, skip_broken))
    else:
        may_skip = skip_broken and "skip_broken" in type(own).model_fields
        other = own.model_copy(update={"skip_broken": True}) if may_skip else None
    measured = measure_again(record_folder, _device(device), other)
    for line in (*measured.told, *(f"WARNING: {warning}" for warning in measured.warnings)):
        say(line)
    if as_json:
        beside = {"warnings": list(measured.warnings)}
        answer_json({name: result.model_dump() | beside for name, result in measured.readouts.items()})
        return
    _print_metrics(measured.readouts)


def _data_at(place: Path, own: "DataConfig", name: str | None, sets: list[str]) -> "DataConfig":
    """Return the data set in a folder or manifest, with the settings that a trial's own data set of its name has."""
    from reid_search.cli.data import folder_config
    from reid_search.data.folder import FolderConfig, recognised, unknown
    from reid_search.errors import DataAbsent
    from reid_search.study.trial.config import OF_ANY_SET

    if not place.exists():
        raise DataAbsent(f"--data {place}: no such folder or manifest")
    found = recognised(place) if name is None and place.is_dir() else None
    name = name or (found.name if found else None if place.is_dir() else "manifest")
    if name is None and not isinstance(own, FolderConfig):
        with suppress(StudyError):
            return own.at(place)  # the folder that holds several data sets
    if name is None:
        raise unknown(place)
    if fixed := sorted({*OF_ANY_SET} & {setting.partition("=")[0].strip() for setting in sets}):
        raise RequestError(f"--set {fixed[0]}: that of the trial stays; leave it out, or train another trial")
    same = [use.data.at(place) for use in own.sets if use.data.name == name]
    if len(same) == 1 and (found is None or _is_readable(same[0])):
        return folder_config(name, place, sets, same[0].as_entries)
    return folder_config(name, place, sets, found.as_entries if found else None)


def _is_readable(data: "DataConfig") -> bool:
    from reid_search.errors import DataError

    try:
        data.facts()
    except DataError:
        return False
    return True


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
