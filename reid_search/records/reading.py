"""One way to say that a file of the ledger cannot be read: which one, why, and how to go on."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from reid_search.errors import NewerVersion, RecordError
from reid_search.study.language.validation_errors import first_problem

WAY_OUT = "; to go on, move this file away, or set the whole study aside with `run --fresh`"


@contextmanager
def reading(place: object, way_out: str = WAY_OUT) -> Iterator[None]:
    """Turn whatever goes wrong in the block, which reads what is at `place`, into a RecordError that names it."""
    try:
        yield
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, OSError) as error:
        reason = first_problem(error) if isinstance(error, ValidationError) else error
        raise RecordError(f"{place}: {reason}{way_out}") from error


def check_version(place: object, what: str, version: object, newest: int) -> None:
    """Raise NewerVersion if a newer release wrote what is at `place`, and RecordError if its version is none."""
    if type(version) is not int or not 1 <= version <= newest:  # True is an int, too
        newer = type(version) is int and version > newest
        kind, way_out = (NewerVersion, "; to go on, upgrade reid-search") if newer else (RecordError, WAY_OUT)
        raise kind(f"{place}: {what} {version!r}; this release reads 1 to {newest}{way_out}")
