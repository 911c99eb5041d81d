"""Describe in sentences what the tables of an ablation or a search mean: protocols, effects, intervals."""

from reid_search.words import several

from ..answers.ablations import AblationSummary
from ..answers.importances import ImportanceSummary
from .formats import listed, settings
from .naming import centre_word


def describe_heading(ablation: AblationSummary) -> str:
    """Return the heading of an ablation's section; under a further protocol it says what the arms share."""
    readout = "" if ablation.readout == "default" else f", readout ‘{ablation.readout}’"
    apart = ablation.number > 1 or (ablation.is_for_claims and ablation.groups > 1)
    what = "Arms of" if ablation.is_for_claims else "Ablation"
    return f"{what} ‘{ablation.phase}’{readout}{f': {describe_shared(ablation)}' if apart else ''}"


def describe_centre(ablation: AblationSummary) -> str:
    """Return what the arms are compared with, in sentences."""
    described = settings(ablation.centre) or "the study's base"
    if ablation.number > 1:
        return (
            f"These arms were measured under another protocol ({describe_unlike(ablation)}), so they are only compared "
            f"with each other. Their centre, the one closest to that of the phase, is {described}."
        )
    others = several(ablation.groups - 1, "group")
    apart = f" Under other protocols: {others} of arms, each with its own section and centre."
    return f"The {centre_word(ablation)} is {described}.{apart if ablation.groups > 1 else ''}"


def describe_shared(ablation: AblationSummary) -> str:
    """Return the settings that set arms under a further protocol apart from the phase's centre."""
    return settings(ablation.group.shared) or f"protocol {ablation.group.protocol}"


def describe_unlike(ablation: AblationSummary) -> str:
    """Return in which fields the protocol of these arms differs from that of the first group."""
    return listed([f"{item.field} {item.found} instead of {item.expected}" for item in ablation.group.unlike])


def describe_effects(ablation: AblationSummary) -> list[str]:
    """Return what the effects of a design mean, and which are left out."""
    effects = ablation.effects
    if effects is None:
        return []
    notes = [
        "The effect of a level is its mean difference from the reference over combinations of the other axes; an "
        "interaction is how much more a level is worth when the second axis is at its level. Both are measured within "
        "each seed."
    ]
    if len(effects.table):
        tests = several(int(effects.table["family"].max()), "effect")
        notes.append(f"No effect was named beforehand: the table is exploratory, and Holm's method counts {tests}.")
    if (effects.table["aliases"] != "").any():
        notes.append(
            "The design is a fraction of all combinations: an effect with aliases is confounded with these "
            "interactions, and correct only if they are 0."
        )
    if effects.unlearnt:
        notes.append(f"Left out because they average over arms that learnt nothing: {'; '.join(effects.unlearnt)}.")
    if effects.left_out:
        notes.append(f"Left out because they compare numbers under different protocols: {'; '.join(effects.left_out)}.")
    return notes


def describe_importance(found: ImportanceSummary) -> list[str]:
    """Return what importances mean, and why not to trust them."""
    if found.refused:
        return [f"Not computed: {found.refused}."]
    notes = [
        "fANOVA: which share of the variance over the whole space an axis explains by itself."
        + " PED-ANOVA: which axes decide whether a trial is among the best tenth, as shares of 1."
        * bool(found.ped_anova),
        _compared(found),
        "95 % intervals over resampled trials. They describe these trials; an ablation says what a setting is worth.",
    ]
    if found.used < found.trials:
        notes.append(f"fANOVA used {found.used} of {found.trials} trials, drawn at random.")
    odd = [f"{item.axis}: {item.note}." for item in [*found.fanova, *found.ped_anova] if item.note]
    return [*(f"Caution: {warning}." for warning in found.warnings), *notes, *dict.fromkeys(odd)]


def _compared(found: ImportanceSummary) -> str:
    """Say which values of which trials were compared."""
    if found.epoch is None:
        return f"From the ends of {several(found.trials, 'trial')}, none of which was stopped early."
    return (
        f"From the values after epoch {found.epoch}, the last that all {found.trials} trials reached, so that those "
        "stopped early count. Among the ends alone, an axis whose bad settings are stopped would seem to do nothing."
    )
