"""The public names of the package and the modules that they live in.

A module never has the name of a public function: importing it would put the module in the function's place.
"""

import importlib
from typing import Any

PUBLIC = {
    "compare_studies": "answers.compare",
    "comparison_sheet": "reporting.comparison",
    "conclusion": "reporting.conclude",
    "contrasts": "answers.paired_contrasts",
    "load_arms": "reading.arms",
    "load_search": "reading.proposals",
    "load_trials": "reading.trials",
    "measured_speed": "reading.speed",
    "planned_seconds": "reading.speed",
    "verdicts": "reporting.claims",
    "write_report": "reporting.write",
}


def resolve(package: str, name: str) -> Any:
    """Return a public name, importing its module now.

    Args:
        package: Name under which the package was imported.
        name: The public name.

    Raises:
        AttributeError: There is no such name.
    """
    if name not in PUBLIC:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{package}.{PUBLIC[name]}"), name)
