"""The short hierarchy of errors that a person sees.

A message names the place, the value, the rule and the nearest valid choice. The command line prints it without a
traceback and exits with `exit_code`.
"""

import difflib
import itertools
from collections.abc import Iterable, Sequence

_ALIKE = 0.6
_LONGEST_LIST = 900  # characters


class ReidSearchError(Exception):
    """Base of every error raised on purpose."""

    exit_code = 1


class RequestError(ReidSearchError):
    """The request cannot be carried out as written; nothing was started or written."""

    exit_code = 2


class StudyError(RequestError):
    """A study file, a trial config or a `--set` override is wrong."""


class WeightsAbsent(StudyError):
    """Pretrained weights are not where they should be: a wrong path, an absent share, or weights not fetched yet."""


class DataError(RequestError):
    """A data set is missing, has another layout, or holds unreadable files."""


class DataAbsent(DataError):
    """A data set is not where it should be: the path is wrong, or a share is not mounted."""


class DataNotGiven(DataError):
    """The study does not say where its data set is; a plan can do without, a run cannot."""


class ResourceError(RequestError):
    """More CPUs, GPUs or nodes were asked for than there are."""


class RecordError(ReidSearchError):
    """The files of a trial cannot be read."""


class NewerVersion(RecordError):
    """A newer release wrote the files."""


class TrialFailure(ReidSearchError):
    """A trial cannot go on (NaN loss, empty gradient); its record says `failed` and why, and has no score."""


class EnvironmentFailure(ReidSearchError):
    """Something around a trial failed (full disk, absent share, no memory, lost GPU).

    The trial is tried again: it gets no record, and keeps its checkpoint.
    """


class InputChanged(EnvironmentFailure):
    """A file is no longer the one that the key of a trial was made from; trying the trial again cannot help."""


def is_of_environment(error: BaseException | None) -> bool:
    """Say whether an error, or its cause, is outside the trial: files, memory, data that cannot be read."""
    if isinstance(error, OSError):
        return error.errno is not None or is_of_environment(error.__cause__)
    known = (EnvironmentFailure, MemoryError, DataAbsent, WeightsAbsent, ResourceError, RecordError)
    return error is not None and (isinstance(error, known) or is_of_environment(error.__cause__))


def nearest(name: str, allowed: Iterable[str], ending: str = "") -> str:
    """Return the end of an error message: `did you mean 'mgn'? (allowed: baseline, mgn)`; `ending` as in `closest`."""
    names = sorted({str(item) for item in allowed})
    listed = f"allowed: {_first(names)}" if names else "nothing is allowed here"
    close = closest(name, names, ending)
    return f"did you mean '{close}'? ({listed})" if close else listed


def _first(names: Sequence[str]) -> str:
    """Join as many names as a message has room for, one at least, and say how many more there are."""
    ends = itertools.accumulate(len(name) + 2 for name in names)
    shown = max(1, sum(end <= _LONGEST_LIST for end in ends))
    more = f" and {len(names) - shown:,} more" if shown < len(names) else ""
    return ", ".join(names[:shown]) + more


def closest(name: str, allowed: Iterable[str], ending: str = "") -> str | None:
    """Return the choice that a name most likely means: one much like it, or else one that contains it or is part of it.

    Args:
        name: What was written.
        allowed: The choices.
        ending: An ending that says nothing about likeness, such as `.yaml`.
    """
    stems = {str(item).removesuffix(ending): str(item) for item in allowed}
    stem = str(name).removesuffix(ending)
    around = [item for item in stems if (stem in item or item in stem) and min(len(stem), len(item)) > 2]
    around.sort(key=lambda item: abs(len(item) - len(stem)))
    return next((stems[item] for item in (*difflib.get_close_matches(stem, stems, 1, _ALIKE), *around)), None)
