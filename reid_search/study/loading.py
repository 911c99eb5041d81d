"""Study files and trial configs, read and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from reid_search.errors import StudyError, nearest
from reid_search.study.component import Config, EntryError
from reid_search.study.language.document import Document, entry_at, read_document
from reid_search.study.language.places import Place
from reid_search.study.language.validation_errors import study_error
from reid_search.study.question.study import Study
from reid_search.study.question.study_checks import check_study
from reid_search.study.question.study_config import StudyConfig
from reid_search.study.question.trial_checks import check_written
from reid_search.study.question.written_paths import WrittenPaths
from reid_search.study.trial.recipes import KEY, check_written_without, with_recipe
from reid_search.study.trial.trial import TrialConfig

_C = TypeVar("_C", bound=Config)
STUDY_FILE = Place(StudyConfig)
TRIAL_FILE = Place(StudyConfig, TrialConfig, dict[str, TrialConfig])  # by itself, or under `base` or `config`


def load_study(path: Path | str, overrides: Sequence[str] = (), data: Path | None = None) -> Study:
    """Read, check and return a study.

    Args:
        path: The study file.
        overrides: `PATH=VALUE` settings; one that begins with `data`, `model`, `losses`, `training` or `readouts`
            is one of `base`.
        data: Folder that the data set is read from.

    Raises:
        StudyError: The file has mistakes; each is listed with its place.
    """
    _check_first_steps(overrides, [*StudyConfig.model_fields, *TrialConfig.keys_of_files()])
    settings = [_inside(("base",), setting) for setting in overrides]
    paths = WrittenPaths()
    document = _entered(read_document(Path(path), STUDY_FILE, paths.resolved).overridden(settings, STUDY_FILE), paths)
    document = with_recipe(document, ("base",))
    _check_recipe_is_left(document, ("base",))
    config = _validated(StudyConfig, document, document.data)
    _validated(TrialConfig, document, config.base, ("base",))
    study = Study(config, document)
    if data is not None:
        study = study.with_data(data)
        _validated(TrialConfig, document, study.config.base, ("base",))  # the folder may lack what the trial needs
    check_study(study)
    return study.redrawing()


@dataclass(frozen=True)
class TrialFile:
    """A single trial as a file describes it.

    Attributes:
        config: The trial's config.
        seed: The seed that it was trained with, if a run wrote the file; None if a person did.
        document: The file.
        prefix: Where in the file the trial is: `base`, `config`, or nothing.
    """

    config: TrialConfig
    seed: int | None
    document: Document = field(compare=False)
    prefix: tuple[str, ...] = field(compare=False)

    def placed(self, entry: tuple[str | int, ...]) -> str:
        """Return the place of an entry of the trial, and its path in the file."""
        written = (*self.prefix, *entry)
        return f"{self.document.place(written)}: {self.document.written(written)}"


def load_trial_file(path: Path | str, overrides: Sequence[str] = (), data: Path | None = None) -> TrialFile:
    """Read a trial: a config, the `base` of a study file, or the `config.json` of a trial that was run.

    Raises:
        StudyError: The file has mistakes; each is listed with its place.
    """
    paths = WrittenPaths()
    document = read_document(Path(path), TRIAL_FILE, paths.resolved)
    prefix = next(((name,) for name in ("base", "config") if name in document.data), ())
    _check_first_steps(overrides, [*document.data, *TrialConfig.keys_of_files()])
    document = document.overridden([_inside(prefix, setting) for setting in overrides], TRIAL_FILE)
    document = with_recipe(_entered(document, paths), prefix)
    _check_recipe_is_left(document, prefix)
    config = _validated(TrialConfig, document, document.data[prefix[0]] if prefix else document.data, prefix)
    if data is not None:
        content = config.model_copy(update={"data": config.data.at(data)}).model_dump(mode="json")
        config = _validated(TrialConfig, document, content, prefix)
    if prefix != ("config",):  # which has been trained
        check_written(config, document, prefix)
    seed = document.data.get("seed") if prefix == ("config",) else None
    return TrialFile(config, seed if isinstance(seed, int) else None, document, prefix)


def _entered(document: Document, paths: WrittenPaths) -> Document:
    """Return a document with what the command gave resolved too, against the current folder."""
    return replace(document, data=paths.named(paths.resolved(document.data, Path.cwd())))


def _check_recipe_is_left(document: Document, prefix: tuple[str, ...]) -> None:
    """Refuse a trial that names no architecture, and whose recipe a null in an upper file or an override deletes."""
    content, at = entry_at(document.data, prefix), (*prefix, KEY)
    if isinstance(content, Mapping) and KEY not in content and at in document.places:
        try:
            check_written_without(content)
        except EntryError as error:
            raise StudyError(f"{document.place(at)}: {document.written(at)}: {error}") from None


def _check_first_steps(overrides: Sequence[str], allowed: Sequence[str]) -> None:
    for setting in overrides:
        step = _first_step(setting)
        if "=" in setting and step and step not in allowed:
            raise StudyError(f"--set {setting}: {step}: unknown key; {nearest(step, allowed)}")


def _first_step(setting: str) -> str:
    return setting.split("=")[0].split(".")[0].strip()


def _inside(prefix: tuple[str, ...], setting: str) -> str:
    of_a_trial = _first_step(setting) in TrialConfig.keys_of_files()
    return ".".join((*prefix, setting)) if of_a_trial else setting


def _validated(config: type[_C], document: Document, content: object, prefix: tuple[str, ...] = ()) -> _C:
    try:
        return config.model_validate(content)
    except ValidationError as error:
        raise study_error(document, error, prefix) from None
