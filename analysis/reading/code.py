"""The code that measured an arm, as columns of its table.

Two measurements are of like code if their versions and the hashes of common modules agree, and that of every component
(architecture, loss, data set) that both use. Where a table has several versions of a component, its arms are told apart
by it; an arm without that component counts to those with the version that most measurements have.
"""

from collections import Counter
from collections.abc import Mapping, MutableMapping, Sequence

import pandas as pd

from reid_search.records import CodeVersion, Record, of_both

CODE_FIELDS = ("numerics", "torch", "libraries", "code", "components")
CODE_COLUMNS = (*CODE_FIELDS, "component_code")
_SCORERS = "scorers."


def code_columns(record: Record, readout: str) -> dict[str, str]:
    """Return the code that measured a readout, by column; empty if it is not known.

    `component_code` lists every component with its hash. The column `components` depends on the other rows of a table:
    see `tell_components_apart`.
    """
    if record.code is None:
        return {}
    trained, tested = record.code, record.tested_by or record.code
    components = of_both(trained.components, tested.components)
    if record.readouts[readout].scorer is None:
        components = {name: version for name, version in components.items() if not name.startswith(_SCORERS)}
    return {
        **of_both(_single(trained), _single(tested)),
        "libraries": _listed(of_both(trained.libraries, tested.libraries)),
        "component_code": _listed(components),
    }


def _single(code: CodeVersion) -> dict[str, str]:
    return {"numerics": str(code.numerics), "torch": code.torch, "code": code.source}


def tell_components_apart(rows: Sequence[MutableMapping[str, object]]) -> None:
    """Fill in the column `components`: the components of which a table has several versions, and a row's own ones."""
    known = [(row, _versions(str(row["component_code"]))) for row in rows if isinstance(row.get("component_code"), str)]
    counts: dict[str, Counter[str]] = {}
    for _, versions in known:
        for name, digest in versions.items():
            counts.setdefault(name, Counter())[digest] += 1
    usual = {name: found.most_common(1)[0][0] for name, found in sorted(counts.items()) if len(found) > 1}
    for row, versions in known:
        row["components"] = _listed({name: versions.get(name, digest) for name, digest in usual.items()})


def with_components(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return tables of `load_arms` whose column `components` tells them apart as if they were one."""
    rows = [[{"component_code": listed} for listed in table["component_code"]] for table in tables]
    tell_components_apart([row for found in rows for row in found])
    told = ([row.get("components") for row in found] for found in rows)
    return [
        table.assign(components=pd.Series(column, index=table.index, dtype=object))
        for table, column in zip(tables, told, strict=True)
    ]


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))


def _versions(listed: str) -> dict[str, str]:
    return {name: version for name, _, version in (item.rpartition(" ") for item in listed.split(", ")) if name}
