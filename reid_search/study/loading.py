"""Study files and trial configs, read and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reid_search.study.language.document import Document, read_document
from reid_search.study.language.places import Place
from reid_search.study.language.validation_errors import study_error
from reid_search.study.question.study import Study
from reid_search.study.question.study_checks import check_study
from reid_search.study.question.study_config import StudyConfig
from reid_search.study.trial.trial import TrialConfig

_TRIAL_KEYS = frozenset(TrialConfig.model_fields)
STUDY_FILE = Place(StudyConfig)
TRIAL_FILE = Place(StudyConfig, TrialConfig, dict[str, TrialConfig])  # by itself, or under `base` or `config`


def load_study(path: Path | str, overrides: Sequence[str] = (), data: Path | None = None) -> Study:
    """Read, check and return a study.

    Args:
        path: The study file.
        overrides: `PATH=VALUE` settings; a path that begins with `data`, `model`, `losses`, `training` or `readouts`
            reaches into `base`.
        data: Folder that the data set is read from.

    Raises:
        StudyError: Anything that is wrong with the file, each mistake with its place.
    """
    document = read_document(Path(path), STUDY_FILE).overridden(
        [_into_base(setting) for setting in overrides], STUDY_FILE
    )
    try:
        config = StudyConfig.model_validate(document.data)
    except ValidationError as error:
        raise study_error(document, error) from None
    _check_base(document, config.base)
    study = Study(config, document)
    if data is not None:
        study = study.with_data(data)
    check_study(study)
    return study


@dataclass(frozen=True)
class TrialFile:
    """A single trial as a file describes it.

    Attributes:
        config: The trial's config.
        seed: The seed that it was trained with, where a run wrote the file; None where a person did.
    """

    config: TrialConfig
    seed: int | None = None


def load_trial_config(path: Path | str, overrides: Sequence[str] = (), data: Path | None = None) -> TrialConfig:
    """Read the config of a single trial; see `load_trial_file`."""
    return load_trial_file(path, overrides, data).config


def load_trial_file(path: Path | str, overrides: Sequence[str] = (), data: Path | None = None) -> TrialFile:
    """Read a trial: a config, the `base` of a study file, or the `config.json` of a trial that was run.

    Raises:
        StudyError: Anything that is wrong with the file.
    """
    document = read_document(Path(path), TRIAL_FILE)
    prefix = next(((name,) for name in ("base", "config") if name in document.data), ())
    document = document.overridden([_inside(prefix, setting) for setting in overrides], TRIAL_FILE)
    content: Mapping[str, Any] = document.data[prefix[0]] if prefix else document.data
    try:
        config = TrialConfig.model_validate(content)
    except ValidationError as error:
        raise study_error(document, error, prefix) from None
    config = config if data is None else config.model_copy(update={"data": config.data.at(data)})
    return TrialFile(config, document.data.get("seed") if prefix == ("config",) else None)


def _into_base(setting: str) -> str:
    return _inside(("base",), setting)


def _inside(prefix: tuple[str, ...], setting: str) -> str:
    of_a_trial = setting.split("=")[0].split(".")[0].strip() in _TRIAL_KEYS
    return ".".join((*prefix, setting)) if of_a_trial else setting


def _check_base(document: Document, base: Mapping[str, Any]) -> None:
    try:
        TrialConfig.model_validate(base)
    except ValidationError as error:
        raise study_error(document, error, ("base",)) from None
