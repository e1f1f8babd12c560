"""Offline Gibbs sampling from human feedback, pessimistic over a set of parameters (Xiong et al. 2024)."""

from __future__ import annotations

import numpy as np

from banditlab import checks, regularizer
from banditlab.contextual.dataset import Fitted
from banditlab.dueling.comparisons import Comparisons

_GAP = 1e-13
_STALLED = 3
_STEPS = 200


def gshf_set(dataset: Comparisons, *, scale: float = 1.0, lam: float = 0.1, delta: float | None = None) -> Fitted:
    """Pessimistic offline RLHF with one width for the whole policy: the best value under the worst theta of a set.

    The policy that maximises E_pi r - w |E_pi phi - nu|_{H^-1} - KL(pi || reference) / eta, r the maximum-likelihood
    rewards, nu the mean feature of the reference and expectations also over contexts. The matrix and the factor w are
    those of `gshf`: H and scale, and with `delta` V and scale beta. In tables phi is a unit vector a context and arm.

    Parameters
    ----------
    dataset : Comparisons
        With Bradley-Terry preferences, under the regularizer KL.
    scale : float
        Factor >= 0 of the width; 0 is greedy, and with `delta` 1 is the theorem.
    lam : float
        Ridge > 0 of the fit.
    delta : float, optional
        Failure probability in (0, 1] of the theorem's width; the practical width unless given.

    Returns
    -------
    (X, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or another regularizer than KL.

    Notes
    -----
    Reconstructed: Option I, by its dual min{E_x log E_ref exp(eta (r - u' (phi - nu))) / eta : |u|_H <= w}, whose
    minimiser u has the policy as Gibbs policy of r - u' phi. Where |theta - theta*|_V <= beta, J(pi) - J(found) <=
    2 beta |E_pi phi - nu|_{V^-1} for every policy pi: at most what `gshf` is charged, by the triangle inequality. A
    step of the solver costs O(D^3), D = d, in tables X K.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, Option I of offline GSHF.
    """
    scale = checks.finite("scale", scale, 0.0)
    dataset.require_rewards("gshf_set")
    if np.isinf(dataset.eta):
        raise ValueError("eta: inf is not allowed, gshf_set needs the smooth dual of a finite eta")
    if dataset.regularizer != regularizer.KL:
        name = next(name for name, code in regularizer.CODES.items() if code == dataset.regularizer)
        raise ValueError(f"regularizer: gshf_set needs 'kl', the data have {name!r}")
    rewards, inverse, radius = dataset.confident(lam, delta)
    away = dataset.relative_features()
    along = scale * radius * away @ np.linalg.cholesky(inverse)
    if not dataset.features.shape[2]:
        X, K = dataset.reference.shape
        along = np.einsum("xai,xy->xayi", along, np.eye(X)).reshape(X, K, X * K)
    v = worst_direction(rewards, along, dataset.reference, dataset.law, dataset.eta)
    return dataset.optimal(rewards - along @ v)


def worst_direction(
    rewards: np.ndarray, along: np.ndarray, reference: np.ndarray, law: np.ndarray, eta: float
) -> np.ndarray:
    """The minimiser over |v| <= 1 of F(v) = E_x log E_ref exp(eta (r - M v)) / eta, the dual of pessimism over a set.

    Newton's method in the ball: the quadratic model at v is minimised over the ball, with one eigendecomposition, and
    the step shortened by Armijo's rule, or the approximate Wolfe rule where F has no more digits. With m = E_pi M under
    the Gibbs policy pi of r - M v the primal value of pi is F(v) - (|m| - m'v): it stops where this is 10^-13, or where
    rounding lets neither F nor this fall.

    Parameters
    ----------
    rewards : (X, K) array
        r.
    along : (X, K, D) array
        M, of mean zero under the reference in each context.
    reference, law, eta
        As in `Comparisons`.

    Returns
    -------
    (D,) array

    References
    ----------
    Hager and Zhang 2005, SIAM J. Optim. 16 (approximate Wolfe rule).
    """

    def at(v: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        score = np.log(reference) + eta * (rewards - along @ v)
        top = score.max(axis=1, keepdims=True)
        weight = np.exp(score - top)
        mass = weight.sum(axis=1, keepdims=True)
        pi = weight / mass
        return float(law @ (top + np.log(mass))[:, 0]) / eta, pi, np.einsum("x,xa,xai->i", law, pi, along)

    v = np.zeros(along.shape[2])
    value, pi, m = at(v)
    gap, stalled = np.linalg.norm(m) - m @ v, 0
    for _ in range(_STEPS):
        if gap <= _GAP or stalled == _STALLED:
            break
        centred = along - np.einsum("xa,xai->xi", pi, along)[:, None]
        hessian = eta * np.einsum("x,xa,xai,xaj->ij", law, pi, centred, centred, optimize=True)
        step = in_ball(hessian, hessian @ v + m) - v
        slope, length = -float(m @ step), 1.0
        while True:
            found, pi, m = at(v + length * step)
            exact = found <= value + 0.25 * length * slope
            close = found <= value + 1e-14 * abs(value) and -m @ step <= -0.5 * slope
            if exact or close or length < 1e-12:
                break
            length *= 0.5
        left = np.linalg.norm(m) - m @ (v + length * step)
        stalled = stalled + 1 if found >= value - 1e-14 * abs(value) and left >= 0.5 * gap else 0
        v, value, gap = v + length * step, found, left
    return v


def in_ball(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """The minimiser over |v| <= 1 of v'A v / 2 - b'v, A positive semidefinite: (A + mu I)^-1 b with the least mu >= 0.

    1 / |v| is concave and increasing in mu, so Newton's method on it increases to the root, from max |b_i| - lambda_i
    in the basis of eigenvectors, which is below it.
    """
    eigenvalues, basis = np.linalg.eigh(matrix)
    eigenvalues = np.maximum(eigenvalues, 0.0)
    b = basis.T @ vector
    mu = max(1e-14 * eigenvalues[-1] + 1e-200, float((np.abs(b) - eigenvalues).max()))
    for _ in range(_STEPS):
        v = b / (eigenvalues + mu)
        length = np.linalg.norm(v)
        if length <= 1.0 + 1e-14:
            break
        mu += float((length - 1.0) * length * length / (v * v / (eigenvalues + mu)).sum())
    return basis @ (v / max(length, 1.0))
