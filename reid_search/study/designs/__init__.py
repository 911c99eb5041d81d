"""Designs: which arms an ablation compares."""

from reid_search.study.designs.arms import (
    BASELINE,
    Arm,
    arm_identity,
    arms_of,
    check_compares,
    check_design,
    check_levels,
    design_arms,
)
from reid_search.study.designs.centre import around_best, inside, with_settings
from reid_search.study.designs.fractional import (
    AliasStructure,
    FractionalDesign,
    alias_structure,
    effect_name,
    fractional_design,
)
from reid_search.study.designs.named import NAMES_TAKEN, check_named_arms, check_named_trials, named_settings
from reid_search.study.designs.two_level import fraction

__all__ = [
    "BASELINE",
    "NAMES_TAKEN",
    "AliasStructure",
    "Arm",
    "FractionalDesign",
    "alias_structure",
    "arm_identity",
    "arms_of",
    "around_best",
    "check_compares",
    "check_design",
    "check_levels",
    "check_named_arms",
    "check_named_trials",
    "design_arms",
    "effect_name",
    "fraction",
    "fractional_design",
    "inside",
    "named_settings",
    "with_settings",
]
