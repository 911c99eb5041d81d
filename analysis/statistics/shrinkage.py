"""How much of a value that stands out among others is to be believed."""

from collections.abc import Sequence
from statistics import fmean, variance


def shrunken(value: float, seeds: int, others: Sequence[float], replicates: Sequence[Sequence[float]]) -> float | None:
    """Return the mean of one candidate over several seeds, shrunken towards the mean of all candidates.

    Each candidate i has a true value tᵢ ~ N(m, a²), and each seed measures it with an error of variance s². The best
    linear guess of tᵢ from a mean v of k seeds is m + b (v - m), where r = a² / (a² + s²) is the reliability of one
    seed, and b = k r / (1 + (k - 1) r) that of k (Spearman & Brown). All are estimated: m is the mean of the n
    candidates' values of one seed each, and a² + s² their variance V; s² is the pooled variance S within the
    replicates, with d degrees of freedom; and r = 1 - (n - 3) / (n - 1) · d / (d + 2) · S / V, at least 0. This is the
    estimator of James and Stein (1961) towards a mean, with its correction for an estimated variance (Efron & Morris
    1975, Data analysis using Stein's estimator and its generalizations, J. Am. Stat. Assoc. 70).

    All candidates have their first value from one seed. What a seed does to all of them alike shifts m; it was a fifth
    of the variance between seeds where that was measured.

    Args:
        value: The candidate's mean over its seeds; the value that selected it is not among them.
        seeds: Number of these seeds.
        others: One value of one seed for every candidate, this one included.
        replicates: Values of some candidates over several seeds each.

    Returns:
        The guess; None with fewer than four candidates or no candidate with two seeds.
    """
    spreads = [(len(found) - 1, variance(found)) for found in replicates if len(found) > 1]
    degrees, count = sum(own for own, _ in spreads), len(others)
    if not degrees or count < 4:
        return None
    centre, total = fmean(others), variance(others)
    within = sum(own * spread for own, spread in spreads) / degrees
    noise = (count - 3) / (count - 1) * degrees / (degrees + 2) * within
    reliability = max(1 - noise / total, 0.0) if total > 0 else 0.0
    return centre + seeds * reliability / (1 + (seeds - 1) * reliability) * (value - centre)
