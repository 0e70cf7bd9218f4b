"""Confidence intervals for one to four test speakers, from a beta-binomial model, because too few can be resampled.

Each speaker has a rate of right answers, drawn from a beta distribution. Its mean is the quantity to estimate; its
within-speaker correlation is unknown. The correlation has an exponential prior, the mean a flat prior.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

PRIOR_MEAN = 0.07
"""Mean of the prior of the within-speaker correlation. Speakers whose logits differ by 0.3 and 0.6 (SD) have
correlations of 0.02 and 0.07; a mean of 0.05 covers 92 % of the latter with three speakers
(`benchmarks/statistics_tables.py --prior-mean 0.05`)."""
_MEANS = 161  # points of the grid of means
_CORRELATIONS = 32  # points of the grid of correlations
_SMALLEST, _LARGEST = 5e-4, 0.6  # correlations on the grid; the prior above has a probability of e^-8


def mean_posterior(hits: Numbers, sizes: Numbers) -> tuple[Numbers, Numbers]:
    """Return the posterior of the mean rate over speakers.

    Args:
        hits: right answers of each speaker, shape (speakers,); numbers that are not whole are fine.
        sizes: answers of each speaker, shape (speakers,).

    Returns:
        edges of bins of the mean, shape (bins + 1,), and the cumulative probability at each.

    Example:
        >>> edges, cumulated = mean_posterior(np.array([30.0, 36.0]), np.array([42.0, 42.0]))
        >>> float(np.interp(0.5, cumulated, edges).round(2))
        0.77
    """
    from scipy.special import gammaln

    a, b, strengths, constant = _grid()
    likelihood = len(hits) * constant[0] + constant[1]
    for hit, size in zip(hits, sizes, strict=True):
        likelihood = likelihood + gammaln(hit + a) + gammaln(size - hit + b) - gammaln(size + strengths)
    weights = np.exp(likelihood - likelihood.max()).sum(axis=1)
    cumulated = np.concatenate([[0.0], np.cumsum(weights / weights.sum())])
    return np.linspace(0.0, 1.0, _MEANS + 1), cumulated


def posterior_draws(hits: Numbers, sizes: Numbers, uniforms: Numbers) -> Numbers:
    """Return draws of the mean rate, one for each of `uniforms`, numbers in [0, 1]."""
    edges, cumulated = mean_posterior(hits, sizes)
    drawn: Numbers = np.interp(uniforms, cumulated, edges)
    return drawn


@lru_cache(1)
def _grid() -> tuple[Numbers, Numbers, Numbers, tuple[Numbers, Numbers]]:
    """Return the grid of parameters of the beta distribution, and the constant terms of the likelihood.

    Returns:
        a and b, shape (means, correlations); a + b, shape (correlations,); the logarithms of 1 / B(a, b) and of the
        prior.
    """
    from scipy.special import betaln

    means = (np.arange(_MEANS) + 0.5) / _MEANS
    correlations = np.concatenate([[_SMALLEST / 5], np.geomspace(_SMALLEST, _LARGEST, _CORRELATIONS - 1)])
    edges = np.concatenate([[0.0], np.sqrt(correlations[1:] * correlations[:-1]), [1.0]])
    below = np.exp(-edges / PRIOR_MEAN)
    strengths = 1 / correlations - 1
    a, b = means[:, None] * strengths, (1 - means[:, None]) * strengths
    return a, b, strengths, (-betaln(a, b), np.log(below[:-1] - below[1:]))
