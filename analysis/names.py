"""The public names of the package and the modules that define them.

No module may share its name with a public function: importing the module would hide the function.
"""

import importlib

PUBLIC = {
    "ArmValue": "answers.arm_values",
    "arm_values": "answers.arm_values",
    "arm_verdicts": "reporting.arm_verdicts",
    "best_values": "answers.bests",
    "caveats": "reporting.describe_family",
    "compare_studies": "answers.compare",
    "comparison_sheet": "reporting.comparison",
    "conclusion": "reporting.conclude",
    "contrasts": "answers.paired_contrasts",
    "expected_count": "answers.going_on",
    "load_arms": "reading.arms",
    "load_search": "reading.proposals",
    "load_trials": "reading.trials",
    "look_at_claims": "answers.going_on",
    "lost_seeds": "reporting.comparison",
    "measured_speed": "reading.speed",
    "planned_seconds": "reading.speed",
    "rungs_to_set": "reporting.describe_rungs",
    "verdicts": "reporting.claims",
    "write_report": "reporting.write",
}


def resolve(package: str, name: str) -> object:
    """Import the module of a public name and return what it names; `package` is how the user imported this package."""
    if name not in PUBLIC:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"{package}.{PUBLIC[name]}"), name)
    return found
