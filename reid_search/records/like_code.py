"""Whether measurements are of like code: where not, they are not compared, and the parts that differ are named."""

from collections.abc import Iterable, Mapping

from reid_search.records.record import Record

_SCORERS = "scorers."
_THEN = "→"
_UNKNOWN = {"code": "unknown"}
_KNOWN = {"code": "noted"}


def parts_that_measured(record: Record, readout: str) -> dict[str, str]:
    """Return the code that trained and measured a readout, version by part; `code` is unknown where nobody noted it."""
    if record.code is None:
        return _UNKNOWN
    parts = of_both(record.code.parts, (record.tested_by or record.code).parts)
    if record.readouts[readout].scorer is None:
        parts = {name: version for name, version in parts.items() if not name.startswith(_SCORERS)}
    return {**_KNOWN, **parts}


def of_both(trained: Mapping[str, str], tested: Mapping[str, str]) -> dict[str, str]:
    """Return versions by name; where something was trained and tested under two, both."""
    names = dict.fromkeys((*trained, *tested))
    found = {name: [versions[name] for versions in (trained, tested) if name in versions] for name in names}
    return {name: _THEN.join(dict.fromkeys(versions)) for name, versions in found.items()}


def unlike(measured: Iterable[tuple[str, Mapping[str, str]]]) -> str:
    """Return which part differs between measurements and what two of them have; empty if all are of like code.

    Two are of like code if they agree in every part that both have, so that a component that one does not use sets
    nobody apart.

    Args:
        measured: The name of each measurement, with its parts.
    """
    first: dict[str, tuple[str, str]] = {}
    for name, parts in measured:
        for part, version in parts.items():
            other, expected = first.setdefault(part, (name, version))
            if version != expected:
                return f"{part}: {name} has '{version}' and {other} has '{expected}'"
    return ""
