"""Designs: which arms an ablation compares."""

from reid_search.study.question.designs.arms import BASELINE, Arm, arm_identity, arms_of
from reid_search.study.question.designs.centre import around_best, inside, with_settings
from reid_search.study.question.designs.design import Asked, Design, Outline, around_centre, check_levels
from reid_search.study.question.designs.fractional import (
    AliasStructure,
    FractionalDesign,
    alias_structure,
    effect_name,
    fractional_design,
)
from reid_search.study.question.designs.named import NAMES_TAKEN, check_named_arms, check_named_trials, named_settings
from reid_search.study.question.designs.registry import add_design, design_named, design_of_record, designs

__all__ = [
    "BASELINE",
    "NAMES_TAKEN",
    "AliasStructure",
    "Arm",
    "Asked",
    "Design",
    "FractionalDesign",
    "Outline",
    "add_design",
    "alias_structure",
    "arm_identity",
    "arms_of",
    "around_best",
    "around_centre",
    "check_levels",
    "check_named_arms",
    "check_named_trials",
    "design_named",
    "design_of_record",
    "designs",
    "effect_name",
    "fractional_design",
    "inside",
    "named_settings",
    "with_settings",
]
