"""The short hierarchy of errors that a person sees.

A message names the place, the value, the rule and the nearest valid choice; the command line prints it without a
traceback and leaves with `exit_code`.
"""

import difflib
from collections.abc import Iterable


class ReidSearchError(Exception):
    """Base of every error raised on purpose."""

    exit_code = 1


class RequestError(ReidSearchError):
    """What was asked for cannot be done as written; nothing was started and nothing was written."""

    exit_code = 2


class StudyError(RequestError):
    """A study file, a trial config or a `--set` override is wrong."""


class DataError(RequestError):
    """A data set is missing, of another layout, or holds unreadable files."""


class DataAbsent(DataError):
    """A data set is not where it should be: a wrong path, or a share that is not there at the moment."""


class DataNotGiven(DataError):
    """The study leaves open where its data set is; a plan can do without, a run cannot."""


class ResourceError(RequestError):
    """More CPUs, GPUs or nodes were asked for than there are."""


class RecordError(ReidSearchError):
    """What a trial left on disk cannot be read."""


class TrialFailure(ReidSearchError):
    """A trial cannot go on (NaN loss, empty gradient); its record says `failed` with this reason, never a score."""


class EnvironmentFailure(ReidSearchError):
    """What surrounds a trial fails it (full disk, absent share, no memory, lost GPU), so that it is tried again.

    It never ends in a record, and the checkpoint stays.
    """


def is_of_environment(error: BaseException | None) -> bool:
    """Say whether an error, or what caused it, is no trial's own: files, memory, or what is to be read from disk.

    Args:
        error: The error.
    """
    if isinstance(error, OSError):
        return error.errno is not None or is_of_environment(error.__cause__)
    known = (EnvironmentFailure, MemoryError, DataAbsent, ResourceError, RecordError)
    return error is not None and (isinstance(error, known) or is_of_environment(error.__cause__))


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Say what is allowed, closest first: `did you mean 'mgn'? (allowed: baseline, mgn)`.

    Args:
        name: What was written.
        allowed: Every valid name.

    Returns:
        A phrase for the end of an error message.
    """
    names = sorted(str(item) for item in allowed)
    listed = f"allowed: {', '.join(names)}" if names else "nothing is allowed here"
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'? ({listed})" if close else listed
