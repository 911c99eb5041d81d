"""Where along one setting the optimum of a noisy function lies, as far as its trials can tell."""

import numpy as np

from .effect import Floats

_LENGTHS = (0.2, 0.4, 0.8, 1.6)  # over which the function changes, as shares of the range
_SIZES = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # variance of the function, in variances of the noise
_SIZES_OF_OTHERS = (0.1, 1.0, 10.0)
_DRAWS = 200
_LEAST_WEIGHT = 0.002  # of a prior, below which what it says cannot be seen
_JITTER = 1e-9
_SEED = 1501  # a constant, so that the same trials give the same answer


def optimum_probabilities(places: Floats, at: Floats, values: Floats, others: Floats) -> Floats:
    """Return the probability that a function of one setting is largest at each of some places `(places,)`.

    The function is a Gaussian process with a squared exponential kernel; the other settings add a linear function of
    their columns; the noise is normal with an unknown variance. Length and size of the function are averaged over a
    grid of priors, weighted by how likely each makes the values (Rasmussen & Williams 2006, Gaussian Processes for
    Machine Learning, chapters 2 and 5), so that few trials leave the answer open. The probabilities are those of the
    largest place in functions drawn from what is then known.

    Args:
        places: Where the function may be largest, in [0, 1].
        at: The setting of each trial, on the same scale `(trials,)`.
        values: What each trial reached, at least three `(trials,)`.
        others: Columns that describe the other settings, each of mean 0 and variance 1 `(trials, columns)`.
    """
    if np.ptp(values) == 0:
        return np.full(len(places), 1 / len(places))
    generator = np.random.default_rng(_SEED)
    linear = others @ others.T
    weights, known = [], []
    for of_others in _SIZES_OF_OTHERS if others.shape[1] else (0.0,):
        for length in _LENGTHS:
            for size in _SIZES:
                noise = np.eye(len(at)) + of_others * linear
                weight, posterior = _posterior(noise, size, length, places, at, values)
                weights.append(weight)
                known.append(posterior)
    shares = np.exp(np.asarray(weights) - max(weights))
    shares /= shares.sum()
    found = sum(
        share * _largest(*posterior, generator)
        for share, posterior in zip(shares, known, strict=True)
        if share > _LEAST_WEIGHT
    )
    return np.asarray(found / np.sum(found))


def _posterior(
    noise: Floats, size: float, length: float, places: Floats, at: Floats, values: Floats
) -> tuple[float, tuple[Floats, Floats]]:
    """Return the log of the evidence for a prior, and the mean and covariance of the function at the places.

    Everything is given an unknown mean and an unknown variance of the noise, with the usual flat priors.
    """
    root = np.linalg.cholesky(noise + size * _kernel(at, at, length))
    columns = np.column_stack([values, np.ones(len(at)), size * _kernel(at, places, length)])
    solved = np.linalg.solve(root, columns)
    value, one, across = solved[:, 0], solved[:, 1], solved[:, 2:]
    weight_of_mean = one @ one
    rest = value - (one @ value / weight_of_mean) * one
    freedom = len(at) - 1
    variance = rest @ rest / freedom
    evidence = -np.log(np.diag(root)).sum() - 0.5 * np.log(weight_of_mean) - 0.5 * freedom * np.log(variance)
    centred = across - np.outer(one, one @ across / weight_of_mean)
    covariance = variance * (size * _kernel(places, places, length) - centred.T @ centred)
    return float(evidence), (across.T @ rest, covariance)


def _kernel(one: Floats, other: Floats, length: float) -> Floats:
    return np.asarray(np.exp(-0.5 * ((one[:, None] - other) / length) ** 2))


def _largest(mean: Floats, covariance: Floats, generator: np.random.Generator) -> Floats:
    """Return how often each place is the largest among functions drawn with this mean and covariance."""
    count = len(mean)
    if np.trace(covariance) <= 0:  # a function of no size: no place is larger than another
        return np.full(count, 1 / count)
    sizes, directions = np.linalg.eigh(covariance + _JITTER * np.eye(count) * np.trace(covariance))
    drawn = generator.standard_normal((_DRAWS, count)) * np.sqrt(np.clip(sizes, 0, None))
    return np.bincount((mean + drawn @ directions.T).argmax(axis=1), minlength=count) / _DRAWS
