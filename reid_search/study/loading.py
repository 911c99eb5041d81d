"""Study files and trial configs, read and checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reid_search.study.checks import check_study
from reid_search.study.document import Document, read_document
from reid_search.study.problems import study_error
from reid_search.study.study import Study
from reid_search.study.study_config import StudyConfig
from reid_search.study.trial import TrialConfig

_TRIAL_KEYS = frozenset(TrialConfig.model_fields)


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
    document = read_document(Path(path)).overridden([_into_base(setting) for setting in overrides])
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


def load_trial_config(path: Path | str, overrides: Sequence[str] = (), data: Path | None = None) -> TrialConfig:
    """Read the config of a single trial, or the `base` of a study file.

    Raises:
        StudyError: Anything that is wrong with the file.
    """
    document = read_document(Path(path))
    prefix: tuple[str, ...] = ("base",) if "base" in document.data else ()
    document = document.overridden([_into_base(setting) if prefix else setting for setting in overrides])
    content: Mapping[str, Any] = document.data["base"] if prefix else document.data
    try:
        config = TrialConfig.model_validate(content)
    except ValidationError as error:
        raise study_error(document, error, prefix) from None
    return config if data is None else config.model_copy(update={"data": config.data.at(data)})


def _into_base(setting: str) -> str:
    return f"base.{setting}" if setting.split("=")[0].split(".")[0].strip() in _TRIAL_KEYS else setting


def _check_base(document: Document, base: Mapping[str, Any]) -> None:
    try:
        TrialConfig.model_validate(base)
    except ValidationError as error:
        raise study_error(document, error, ("base",)) from None
