"""Zero-sum matrix games, with KL and without: best responses, exact gaps, and the solvers of the equilibrium.

The row player p maximises and the column player q minimises, with a payoff matrix A of shape (m, n),

    V(p, q) = p' A q - KL(p || p_ref) / eta_p + KL(q || q_ref) / eta_q.

The best responses are the Gibbs policies BR(q) = p_ref exp(eta_p A q) / Z and BR(p) = q_ref exp(-eta_q A' p) / Z;
the equilibrium is the one pair of policies that are best responses to each other. What a player gives up against
a fixed opponent is a suboptimality with rewards A q (or -A' p), so that

    max_p' V(p', q) - min_q' V(p, q') = KL(p || BR(q)) / eta_p + KL(q || BR(p)) / eta_q,       (duality gap)

evaluated in nonnegative terms. ``eta = inf`` means without KL: the term is then max (A q) - p' A q.

A preference matrix P, with P + P' = 1, is the game A = P - 1/2 = -A' with one reference and one eta. Its value is
zero (1/2 in terms of P), both players have the same policy pi at the equilibrium, and

    1/2 - min_q V_P(pi, q) = KL(pi || BR(pi)) / eta                                       (one-sided gap)

is half the duality gap of the pair (pi, pi). For ``eta = inf`` it is max_a (P pi)_a - 1/2, the exploitability.

Policies are kept as logarithms: at eta = 1000 probabilities underflow whose logarithms the divergences need.

First in the file come the compiled functions, for learners and loops; `saddle` solves a game by Newton's method, and
`solver` makes its workspaces. Without KL a game is solved by the simplex method, `minimax` with `simplex`. The
functions over NumPy arrays are last.

References
----------
Munos et al. 2024, arXiv:2312.00886 (Nash-MD); Wu et al. 2024, arXiv:2405.00675 (SPPO); Sokota et al. 2023,
arXiv:2206.05825 (magnetic mirror descent); Cen, Wei and Chi 2021, arXiv:2105.15186 (extragradient). The updates are
reconstructed.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.jit import jit, jit_apart
from banditlab.regularizer import kl_gap_from_logs, log_gibbs

__all__ = [
    "Equilibrium",
    "GameIterates",
    "Iterates",
    "Nash",
    "Saddle",
    "Simplex",
    "Solver",
    "best_response",
    "best_response_iteration",
    "duality_gap",
    "exploitability",
    "extragradient",
    "extragradient_game",
    "game_gap",
    "loss",
    "magnetic_mirror_descent",
    "magnetic_mirror_descent_game",
    "minimax",
    "mix",
    "multiplicative_weights",
    "nash",
    "nash_md",
    "newton",
    "newton_game",
    "normalise",
    "one_sided_gap",
    "payoffs",
    "saddle",
    "security",
    "self_play_gap",
    "simplex",
    "solver",
    "von_neumann_winner",
]

Array = np.ndarray[Any, np.dtype[np.float64]]


# ------------------------------------------------------------------------------------------------------------
# Best responses and gaps
# ------------------------------------------------------------------------------------------------------------


@jit
def normalise(log_policy):
    """Subtract log sum_a exp(log_policy_a); entries -inf stay."""
    top = -math.inf
    for a in range(log_policy.size):
        top = max(top, log_policy[a])
    total = 0.0
    for a in range(log_policy.size):
        total += math.exp(log_policy[a] - top)
    shift = top + math.log(total)
    for a in range(log_policy.size):
        log_policy[a] -= shift


@jit
def payoffs(payoff, log_opponent, opponent, score):
    """Write q from log q, and A q."""
    for b in range(opponent.size):
        opponent[b] = math.exp(log_opponent[b])
    for a in range(score.size):
        total = 0.0
        for b in range(opponent.size):
            total += payoff[a, b] * opponent[b]
        score[a] = total


@jit
def mix(log_policy, weight, log_reference, step, score, out):
    """Write the logarithm of pi^(1 - weight) reference^weight exp(step score) / Z."""
    for a in range(out.size):
        out[a] = (1.0 - weight) * log_policy[a] + weight * log_reference[a] + step * score[a]
    normalise(out)


@jit
def loss(score, log_policy, log_reference, eta, log_response):
    """What a player gives up with `log_policy` where its arms pay `score`: KL(pi || BR) / eta.

    Writes log BR; for eta = inf returns sum_a pi_a (max score - score_a) and writes nothing. Arms whose reference is
    zero (log -inf) are as if absent.
    """
    if eta == math.inf:
        top = -math.inf
        for a in range(score.size):
            if log_reference[a] > -math.inf:
                top = max(top, score[a])
        total = 0.0
        for a in range(score.size):
            total += math.exp(log_policy[a]) * (top - score[a])
        return total
    for a in range(score.size):
        log_response[a] = log_reference[a] + eta * score[a]
    normalise(log_response)
    return kl_gap_from_logs(log_policy, log_response) / eta


@jit
def self_play_gap(payoff, log_policy, log_reference, eta, policy, score, log_response):
    """One-sided gap of a policy in the symmetric game A = -A'; `policy`, `score`, `log_response` are workspaces."""
    payoffs(payoff, log_policy, policy, score)
    return loss(score, log_policy, log_reference, eta, log_response)


# ------------------------------------------------------------------------------------------------------------
# Two players and Newton's method
# ------------------------------------------------------------------------------------------------------------


class Solver(NamedTuple):
    """A two-player game's policies and workspaces; build it with `solver`.

    Row 0 of an array of shape (2, L), L = max(m, n), is the row player's, row 1 the column player's; logarithms beyond
    a player's last arm are -inf, other entries there are not read.
    """

    log_policy: np.ndarray  # (2, L) solution of the last solve, and start of the next warm one
    log_reference: np.ndarray  # (2, L)
    eta: np.ndarray  # (2,) inverse temperatures
    policy: np.ndarray  # (2, L) exp(log_policy)
    score: np.ndarray  # (2, L) A q and -A' p
    log_response: np.ndarray  # (2, L) best responses
    residual: np.ndarray  # (2, L) log_response - log_policy, centred under the policy
    direction: np.ndarray  # (2, L) Newton's direction in log_policy
    previous: np.ndarray  # (2, L) log_policy before a line search
    accepted: np.ndarray  # (2, L) log_policy at the largest eta solved on the way
    centred: np.ndarray  # (m, n) payoff, centred twice under the policies
    factor: np.ndarray  # (m, m) Cholesky factor of Newton's system
    status: np.ndarray  # (4,) of the last solve: duality gap, largest |log BR - log policy|, Newton steps, 1 if cold


def solver(rows: int, columns: int) -> Solver:
    """Workspaces for games of m rows and n columns, with uniform policies.

    Parameters
    ----------
    rows, columns : int
        m, n >= 1. A Newton step costs O(m^2 (m + n)), so a tall game is solved faster as -A'.
    """
    m = checks.integer("rows", rows, 1)
    n = checks.integer("columns", columns, 1)
    log_policy = np.full((2, max(m, n)), -math.inf)
    log_policy[0, :m] = -math.log(m)
    log_policy[1, :n] = -math.log(n)
    policy, score, log_response, residual, direction = (np.zeros((2, max(m, n))) for _ in range(5))
    return Solver(
        log_policy,
        log_policy.copy(),
        np.ones(2),
        policy,
        score,
        log_response,
        residual,
        direction,
        log_policy.copy(),
        log_policy.copy(),
        np.zeros((m, n)),
        np.zeros((m, m)),
        np.zeros(4),
    )


@jit_apart
def game_gap(payoff, work):
    """Duality gap of `work.log_policy` under its references and etas; `policy` to `log_response` are written."""
    for i in range(2):
        for a in range(payoff.shape[i]):
            work.policy[i, a] = math.exp(work.log_policy[i, a])
            work.score[i, a] = 0.0
    for a in range(payoff.shape[0]):
        for b in range(payoff.shape[1]):
            work.score[0, a] += payoff[a, b] * work.policy[1, b]
            work.score[1, b] -= payoff[a, b] * work.policy[0, a]
    gap = 0.0
    for i in range(2):
        gap += loss(work.score[i], work.log_policy[i], work.log_reference[i], work.eta[i], work.log_response[i])
    return gap


@jit_apart
def _direction(payoff, work):
    """Newton's directions a, b in the log policies of x, y, from their residuals r, s.

    With B the payoff centred twice, a - eta_x B (y b) = r and b + eta_y B' (x a) = s (products of vectors by entry).
    Eliminating b, the matrix I + eta_x eta_y sqrt(x) B y B' sqrt(x) is positive definite.
    """
    m, n = payoff.shape
    x = work.policy[0]
    y = work.policy[1]
    B = work.centred
    M = work.factor
    a = work.direction[0]
    b = work.direction[1]
    value = 0.0
    for i in range(m):
        value += x[i] * work.score[0, i]
    for j in range(n):
        b[j] = work.residual[1, j]
    for i in range(m):
        total = 0.0
        for j in range(n):
            B[i, j] = payoff[i, j] - work.score[0, i] + work.score[1, j] + value
            total += B[i, j] * y[j] * b[j]
        a[i] = math.sqrt(x[i]) * (work.residual[0, i] + work.eta[0] * total)
        for j in range(i + 1):
            total = 0.0
            for k in range(n):
                total += B[i, k] * y[k] * B[j, k]
            M[i, j] = work.eta[0] * work.eta[1] * math.sqrt(x[i]) * total * math.sqrt(x[j])
        M[i, i] += 1.0
    for i in range(m):  # M = L L' and L z = the right-hand side
        for j in range(i + 1):
            total = M[i, j]
            for k in range(j):
                total -= M[i, k] * M[j, k]
            M[i, j] = math.sqrt(total) if i == j else total / M[j, j]
        for k in range(i):
            a[i] -= M[i, k] * a[k]
        a[i] /= M[i, i]
    for i in range(m - 1, -1, -1):
        a[i] /= M[i, i]
        for k in range(i):
            a[k] -= M[i, k] * a[i]
        for j in range(n):
            b[j] -= work.eta[1] * B[i, j] * math.sqrt(x[i]) * a[i]
    for i in range(m):
        total = 0.0
        for j in range(n):
            total += B[i, j] * y[j] * b[j]
        a[i] = work.residual[0, i] + work.eta[0] * total


@jit
def _move(payoff, work, t):
    """Put the log policies at step t along the direction.

    A rising probability follows x (1 + t a), the linear step, which does not overshoot, unless it is so small that a
    step in log x serves better (up to a probability of 0.05); a falling one follows x exp(t a).
    """
    for i in range(2):
        for a in range(payoff.shape[i]):
            d = t * work.direction[i, a]
            if d > 0.0:
                d = min(d, max(math.log1p(d), math.log(0.05) - work.previous[i, a]))
            work.log_policy[i, a] = work.previous[i, a] + d
        normalise(work.log_policy[i])


@jit
def _residual(payoff, work):
    """Write the centred residuals; return the largest |log BR - log policy|.

    An arm of probability below 1e-30 under both takes its best response at once: nothing else notices, and the gap, on
    which the line search goes, would not see its error.
    """
    worst = 0.0
    for i in range(2):
        mean = 0.0
        for a in range(payoff.shape[i]):
            if max(work.log_policy[i, a], work.log_response[i, a]) < -69.0:
                work.log_policy[i, a] = work.log_response[i, a]
            work.residual[i, a] = work.log_response[i, a] - work.log_policy[i, a]
            mean += work.policy[i, a] * work.residual[i, a]
            worst = max(worst, abs(work.residual[i, a]))
        for a in range(payoff.shape[i]):
            work.residual[i, a] -= mean
    return worst


@jit_apart
def _newton(payoff, work, near, exact, most):
    """At most `most` Newton steps at one eta; whether it reached a gap `near` or a residual `exact`."""
    gap = math.inf
    rounding = 1e-16 / max(work.eta[0], work.eta[1])  # below it the gap no longer sees unlikely arms
    t = 0.0  # the step that led here, 0 for the start
    while True:
        reached = game_gap(payoff, work)
        if t > 0.0 and not reached <= max((1.0 - 0.05 * t) * gap, rounding):
            if t < 1e-9:
                return False
            t *= 0.5
        else:
            gap = reached
            work.status[0] = gap
            work.status[1] = _residual(payoff, work)
            if gap <= near or work.status[1] <= exact:
                return True
            if most == 0:
                return False
            most -= 1
            work.status[2] += 1.0
            _direction(payoff, work)
            _copy(work.log_policy, work.previous)
            t = 1.0
        _move(payoff, work, t)


@jit
def _copy(source, target):
    for i in range(2):
        for a in range(source.shape[1]):
            target[i, a] = source[i, a]


@jit
def _predict(payoff, work, ratio):
    """Move the log policies from the accepted ones to where they would be at `ratio` times eta with payoffs fixed."""
    for i in range(2):
        for a in range(payoff.shape[i]):
            start = work.log_reference[i, a]
            work.log_policy[i, a] = start + ratio * (work.accepted[i, a] - start)
        normalise(work.log_policy[i])


@jit_apart
def saddle(payoff, row_log_reference, column_log_reference, row_eta, column_eta, work, warm):
    """Solve the game with finite eta; the log policies are left in `work.log_policy`.

    Newton's method from the log policies that are there, if `warm`; else, or if that fails, from the references along
    a path of growing eta. Returns whether every log probability is within max(1e-11, 1e-14 eta (max A - min A)) of its
    best response's. Gap, residual, steps and whether it was a cold start are in `work.status`. A symmetric game has
    the same references and etas and, to rounding, the same two policies. A learner passes a variable for `warm`: a
    literal True compiles the solver once more.
    """
    low = math.inf
    high = -math.inf
    for i in range(payoff.shape[0]):
        work.log_reference[0, i] = row_log_reference[i]
        for j in range(payoff.shape[1]):
            low = min(low, payoff[i, j])
            high = max(high, payoff[i, j])
    for j in range(payoff.shape[1]):
        work.log_reference[1, j] = column_log_reference[j]
    work.status[2] = 0.0
    work.status[3] = 0.0 if warm else 1.0
    sharpness = max(row_eta, column_eta) * (high - low)
    exact = max(1e-11, 1e-14 * sharpness)
    solved = 0.0  # the share of eta that `accepted` solves
    growth = 4.0
    lost = False
    while True:
        share = 1.0
        if not warm and not lost:
            if solved > 0.0:
                share = min(1.0, growth * solved)
            else:
                share = 1.0 if sharpness <= 2.0 else 2.0 / sharpness
                _copy(work.log_reference, work.log_policy)
        work.eta[0] = share * row_eta
        work.eta[1] = share * column_eta
        if solved > 0.0:  # of two starts the one with the smaller gap
            best = math.inf
            for ratio in (share / solved, 1.0, share / solved):
                _predict(payoff, work, ratio)
                gap = game_gap(payoff, work)
                if ratio == 1.0 and gap <= best:
                    break
                best = gap
        steps = work.status[2]
        near = -1.0 if share == 1.0 else 1e-4 / (share * max(row_eta, column_eta))
        if _newton(payoff, work, near, exact, 0 if lost else 15):
            if share == 1.0:
                return True
            solved = share
            _copy(work.log_policy, work.accepted)
            if work.status[2] - steps <= 6.0:
                growth = min(growth * growth, 16.0)
        elif warm:
            warm = False
            work.status[3] = 1.0
        elif lost:
            return False
        else:
            growth = math.sqrt(growth)
            lost = growth < 1.001 or solved == 0.0  # then what there is is evaluated at the full eta


# ------------------------------------------------------------------------------------------------------------
# Nash equilibria without KL: the simplex method
# ------------------------------------------------------------------------------------------------------------


class Simplex(NamedTuple):
    """Optimal policies of a matrix game without KL, and workspaces; build it with `simplex`.

    The game rescaled to G = 1 + (A - min A) / (max A - min A) is the program max sum(u) over u >= 0 with G u <= 1,
    whose dual is min sum(w) over w >= 0 with G' w >= 1; q and p are u and w divided by their sums. The tableau has a
    row for every basic variable and a column for every free one: u_b is variable b, the slack of row a is n + a.
    """

    row: np.ndarray  # (m,) policy p of the maximising player
    column: np.ndarray  # (n,) policy q of the minimising player
    status: np.ndarray  # (3,) value, duality gap, pivots of the last solve
    tableau: np.ndarray  # (2, m + 1, n + 1) leading and trailing parts; last row: reduced costs; last column: values
    basic: np.ndarray  # (m,) variable of every row
    free: np.ndarray  # (n,) variable of every column


def simplex(rows: int, columns: int) -> Simplex:
    """Workspaces of `minimax` for games of m rows and n columns, with uniform policies.

    Parameters
    ----------
    rows, columns : int
        m, n >= 1. A pivot costs O(m n), and about max(m, n) of them are made.
    """
    m = checks.integer("rows", rows, 1)
    n = checks.integer("columns", columns, 1)
    return Simplex(
        np.full(m, 1.0 / m),
        np.full(n, 1.0 / n),
        np.zeros(3),
        np.zeros((2, m + 1, n + 1)),
        np.zeros(m, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
    )


@jit
def security(payoff, shift, row, column):
    """What each player's policy guarantees in the game A - shift: min_b (p' A)_b - shift and max_a (A q)_a - shift.

    The value lies between them; their difference is the duality gap without KL, exact where A - shift is.
    """
    low = math.inf
    for b in range(column.size):
        total = 0.0
        for a in range(row.size):
            total += (payoff[a, b] - shift) * row[a]
        low = min(low, total)
    high = -math.inf
    for a in range(row.size):
        total = 0.0
        for b in range(column.size):
            total += (payoff[a, b] - shift) * column[b]
        high = max(high, total)
    return low, high


@jit
def _product(a, b):
    """The product a b and its rounding error (Dekker)."""
    high = a * b
    s = 134217729.0 * a
    a1 = s - (s - a)
    s = 134217729.0 * b
    b1 = s - (s - b)
    a2 = a - a1
    b2 = b - b1
    return high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2


@jit
def _subtract(T, i, j, a, a_low, b, b_low):
    """T[i, j] -= (a + a_low) (b + b_low) in twice the working precision."""
    p, error = _product(a, b)
    error += a * b_low + a_low * b
    s = T[0, i, j] - p
    back = s - T[0, i, j]
    rest = (T[0, i, j] - (s - back)) - (p + back) + (T[1, i, j] - error)
    T[0, i, j] = s + rest
    T[1, i, j] = rest - (T[0, i, j] - s)


@jit_apart
def _pivot(work, r, c, precise):
    """Exchange the variables of row r and column c."""
    T = work.tableau
    pivot = T[0, r, c]
    scale = 1.0 / pivot
    scale_low = 0.0
    if precise:
        p, error = _product(scale, pivot)
        scale_low = scale * ((1.0 - p) - error - scale * T[1, r, c])
    T[0, r, c] = 1.0
    T[1, r, c] = 0.0
    for j in range(T.shape[2]):
        if precise:
            a = T[0, r, j]
            a_low = T[1, r, j]
            T[0, r, j] = 0.0
            T[1, r, j] = 0.0
            _subtract(T, r, j, -a, -a_low, scale, scale_low)
        else:
            T[0, r, j] *= scale
    for i in range(T.shape[1]):
        if i != r:
            a = T[0, i, c]
            a_low = T[1, i, c]
            T[0, i, c] = 0.0
            T[1, i, c] = 0.0
            for j in range(T.shape[2]):
                if precise:
                    _subtract(T, i, j, a, a_low, T[0, r, j], T[1, r, j])
                else:
                    T[0, i, j] -= a * T[0, r, j]
    variable = work.basic[r]
    work.basic[r] = work.free[c]
    work.free[c] = variable
    work.status[2] += 1.0


@jit_apart
def _climb(work, precise):
    """Pivot until no reduced cost is negative: by Dantzig's rule, and should that cycle, by Bland's."""
    T = work.tableau
    m = work.basic.size
    n = work.free.size
    zero_cost = 1e-20 if precise else 1e-12
    zero_pivot = 1e-20 if precise else 1e-11
    tie = 1e-28 if precise else 1e-13
    for count in range(200 * (m + n)):
        bland = count >= 20 * (m + n)
        c = -1
        for j in range(n):
            if T[0, m, j] < -zero_cost:
                if c < 0 or (work.free[j] < work.free[c] if bland else T[0, m, j] < T[0, m, c]):
                    c = j
        r = -1
        least = math.inf
        for i in range(m):
            if c >= 0 and T[0, i, c] > zero_pivot:
                ratio = max(T[0, i, n], 0.0) / T[0, i, c]
                if ratio < least - tie:
                    r = i
                    least = ratio
                elif ratio <= least + tie:  # of equal rows the largest pivot, for the sake of rounding
                    if work.basic[i] < work.basic[r] if bland else T[0, i, c] > T[0, r, c]:
                        r = i
                    least = min(least, ratio)
        if r < 0:
            break
        _pivot(work, r, c, precise)


@jit
def _normalise_weights(p):
    """Divide by the sum; the uniform policy where that is not a positive number."""
    total = 0.0
    for a in range(p.size):
        total += p[a]
    for a in range(p.size):
        p[a] = p[a] / total if 0.0 < total < math.inf else 1.0 / p.size


@jit_apart
def minimax(payoff, work):
    """Solve the game without KL by the simplex method; policies, value and duality gap are left in `work`.

    Returns whether the gap is at most 1e-9 (max A - min A). The gap is that of the policies as they are; the value,
    the middle of what they guarantee, is off by at most half of it. Where the first solve leaves more than 1e-11 of
    the range, as games with nearly equal rows or columns do, the game is solved again in twice the precision.
    A constant game has uniform policies; so has a payoff matrix that is not finite, with an infinite gap.
    """
    m, n = payoff.shape
    T = work.tableau
    low = payoff[0, 0]
    high = payoff[0, 0]
    known = True
    for a in range(m):
        for b in range(n):
            known = known and math.isfinite(payoff[a, b])
            low = min(low, payoff[a, b])
            high = max(high, payoff[a, b])
    extent = high - low if known else math.inf
    for a in range(m):
        work.row[a] = 0.0
    for b in range(n):
        work.column[b] = 0.0
    _normalise_weights(work.row)
    _normalise_weights(work.column)
    work.status[0] = low
    work.status[1] = 0.0
    work.status[2] = 0.0
    if extent == 0.0:
        return True
    if not math.isfinite(extent):
        work.status[0] = math.nan
        work.status[1] = math.inf
        return False
    for precise in (False, True):
        for a in range(m):
            work.basic[a] = n + a
            for b in range(n):
                share = (payoff[a, b] - low) / extent
                T[0, a, b] = 1.0 + share
                T[1, a, b] = share - (T[0, a, b] - 1.0)
            T[0, a, n] = 1.0
            T[1, a, n] = 0.0
        for b in range(n + 1):
            T[0, m, b] = -1.0 if b < n else 0.0
            T[1, m, b] = 0.0
        for b in range(n):
            work.free[b] = b
        _climb(work, precise)
        for a in range(m):
            work.row[a] = 0.0
        for b in range(n):
            work.column[b] = 0.0
        for a in range(m):
            if work.basic[a] < n and T[0, a, n] > 0.0:
                work.column[work.basic[a]] = T[0, a, n]
        for b in range(n):
            if work.free[b] >= n and T[0, m, b] > 0.0:
                work.row[work.free[b] - n] = T[0, m, b]
        _normalise_weights(work.row)
        _normalise_weights(work.column)
        worst, best = security(payoff, low, work.row, work.column)
        work.status[0] = low + 0.5 * (worst + best)
        work.status[1] = max(best - worst, 0.0)
        if work.status[1] <= 1e-11 * extent:
            break
    return work.status[1] <= 1e-9 * extent


# ------------------------------------------------------------------------------------------------------------
# Iterations of the symmetric game
# ------------------------------------------------------------------------------------------------------------

PLAIN, NASH_MD, EXTRAGRADIENT = 0, 1, 2


@jit
def _iterate(kind, payoff, log_reference, weights, steps, policy, score, middle, log_policies):
    """Fill rows 1, 2, ... from row 0, with a weight of the reference and a step size for every iteration."""
    for t in range(weights.size):
        payoffs(payoff, log_policies[t], policy, score)
        if kind == PLAIN:
            mix(log_policies[t], weights[t], log_reference, steps[t], score, log_policies[t + 1])
        else:
            step = 0.0 if kind == NASH_MD else steps[t]
            mix(log_policies[t], weights[t], log_reference, step, score, middle)
            payoffs(payoff, middle, policy, score)
            if kind == NASH_MD:
                mix(middle, 0.0, log_reference, steps[t], score, log_policies[t + 1])
            else:
                mix(log_policies[t], weights[t], log_reference, steps[t], score, log_policies[t + 1])


@jit
def _iterate_game(predictive, payoff, work, weight, step, log_rows, log_columns, gaps):
    """Fill all rows from the policies in `work`, with one weight of the references and one step size."""
    for t in range(gaps.size):
        gaps[t] = game_gap(payoff, work)
        for a in range(payoff.shape[0]):
            log_rows[t, a] = work.log_policy[0, a]
        for b in range(payoff.shape[1]):
            log_columns[t, b] = work.log_policy[1, b]
        _copy(work.log_policy, work.previous)
        for k in range(2 if predictive else 1):
            if k == 1:
                game_gap(payoff, work)  # the scores at the midpoint
            for i in range(2):
                size = payoff.shape[i]
                mix(
                    work.previous[i, :size],
                    weight,
                    work.log_reference[i, :size],
                    step,
                    work.score[i, :size],
                    work.log_policy[i, :size],
                )


@jit
def _each_gap(payoff, log_policies, log_reference, eta, policy, score, log_response, out):
    for i in range(out.size):
        out[i] = self_play_gap(payoff, log_policies[i], log_reference, eta, policy, score, log_response)


# ------------------------------------------------------------------------------------------------------------
# Functions over NumPy arrays
# ------------------------------------------------------------------------------------------------------------


class Equilibrium(NamedTuple):
    """KL-Nash policy of a preference matrix, as `newton` returns it."""

    log_policy: Array
    """(K,) log pi*."""
    gap: float
    """One-sided gap KL(pi || BR(pi)) / eta."""
    residual: float
    """Largest |log BR(pi)_a - log pi_a|."""
    steps: int
    """Newton steps taken."""


class Saddle(NamedTuple):
    """KL equilibrium of a two-player game, as `newton_game` returns it."""

    log_row: Array
    """(m,) log policy of the maximising player."""
    log_column: Array
    """(n,) log policy of the minimising player."""
    gap: float
    """Duality gap."""
    residual: float
    """Largest difference of a log probability from its best response's."""
    steps: int
    """Newton steps taken."""


class Nash(NamedTuple):
    """Nash equilibrium of a matrix game without KL, as `nash` returns it."""

    row: Array
    """(m,) policy of the maximising player."""
    column: Array
    """(n,) policy of the minimising player."""
    value: float
    """Value of the game, to half the gap."""
    gap: float
    """Duality gap of the two policies."""


class Iterates(NamedTuple):
    """The path of an iterative solver; row 0 is the start."""

    log_policies: Array
    """(steps + 1, K) log policies."""
    gaps: Array
    """(steps + 1,) one-sided gap of every iterate at the given eta."""
    averages: Array
    """(steps + 1, K) average of the policies up to and with row t."""
    average_gaps: Array
    """(steps + 1,) one-sided gap of every average."""


class GameIterates(NamedTuple):
    """The path of an iterative solver of a two-player game; row 0 is the references."""

    log_rows: Array
    """(steps + 1, m) log policies of the maximising player."""
    log_columns: Array
    """(steps + 1, n) log policies of the minimising player."""
    gaps: Array
    """(steps + 1,) duality gaps."""


def _matrix(name: str, value: ArrayLike) -> Array:
    """A fresh (m, n) array of finite numbers."""
    try:
        x = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a matrix of numbers, got {value!r}") from None
    if x.ndim != 2 or x.size < 1:
        raise ValueError(f"{name}: shape {x.shape} is not allowed, must be a matrix of at least one row and column")
    bad = np.argwhere(~np.isfinite(x))
    if bad.size:
        raise ValueError(f"{name}[{bad[0][0]}, {bad[0][1]}]: {x[tuple(bad[0])]:g} is not allowed, must be finite")
    return x


def _symmetric_game(preference: ArrayLike) -> Array:
    """The exactly antisymmetric A = (P - P') / 2 of a preference matrix."""
    P = _matrix("preference", preference)
    if P.shape[0] != P.shape[1]:
        raise ValueError(f"preference: shape {P.shape} is not allowed, must be square")
    excess = np.abs(P + P.T - 1.0)
    a, b = np.unravel_index(int(excess.argmax()), P.shape)
    if excess[a, b] > 1e-9:
        raise ValueError(
            f"preference[{a}, {b}]: {P[a, b]:.12g} is not allowed, "
            f"must be 1 - preference[{b}, {a}] = {1.0 - P[b, a]:.12g}"
        )
    return np.ascontiguousarray(0.5 * (P - P.T))


def _log_policies(name: str, value: ArrayLike, size: int) -> tuple[tuple[int, ...], Array]:
    """Leading shape, and (n, size) rows of log distributions, normalised to rounding."""
    try:
        x = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected an array of numbers, got {type(value).__name__}") from None
    if x.ndim == 0 or x.shape[-1] != size:
        raise ValueError(f"{name}: shape {x.shape} is not allowed, must be (..., {size})")
    if np.isnan(x).any() or (x > 1e-9).any():
        raise ValueError(f"{name}: {x[np.isnan(x) | (x > 1e-9)][0]:g} is not allowed, logarithms are at most 0")
    total = np.exp(x).sum(axis=-1, keepdims=True)
    if total.size and np.abs(total - 1.0).max() > 1e-9:
        worst = total.flat[int(np.abs(total - 1.0).argmax())]
        raise ValueError(f"{name}: probabilities sum to {worst:.12g}, must sum to 1")
    return x.shape[:-1], (x - np.log(total)).reshape(-1, size)


def _finite_eta(name: str, eta: float) -> float:
    return checks.finite(name, eta, 0.0, closed=False)


def _eta(name: str, eta: float) -> float:
    return checks.number(name, eta, 0.0, closed=False)


def best_response(payoff: ArrayLike, opponent: ArrayLike, reference: ArrayLike, eta: float) -> Array:
    """Logarithm of the best response to a policy q, log Gibbs with rewards A q.

    Parameters
    ----------
    payoff : (m, n) array_like
        A, of the player who responds. A preference matrix P serves as well as P - 1/2; the column player of a game A
        has payoff -A'.
    opponent : (n,) array_like
        Probabilities q, zeros allowed, summing to one within 1e-9.
    reference : (m,) array_like
        Positive reference policy.
    eta : float
        Inverse temperature in (0, inf]; for inf the point mass at the best row, lowest index on ties.

    Returns
    -------
    (m,) array
        log BR(q), -inf only for ``eta = inf``.

    Raises
    ------
    TypeError, ValueError
        In one line, for a value, shape or distribution out of range.
    """
    A = _matrix("payoff", payoff)
    q = checks.policy("opponent", opponent, (1, A.shape[1]))[0]
    ref = checks.distribution("reference", reference, A.shape[0])
    out = np.empty(A.shape[0])
    log_gibbs(ref, A @ q, _eta("eta", eta), out)
    return out


def one_sided_gap(preference: ArrayLike, log_policy: ArrayLike, reference: ArrayLike, eta: float) -> float | Array:
    """How far a policy is from the KL-Nash policy: 1/2 - min_q V(pi, q) = KL(pi || BR(pi)) / eta.

    The two-sided (duality) gap of the pair (pi, pi) is exactly twice this.

    Parameters
    ----------
    preference : (K, K) array_like
        P, with P + P' = 1 to 1e-9.
    log_policy : (..., K) array_like
        Logarithms of policies; -inf stands for zero.
    reference : (K,) array_like
        Positive reference policy.
    eta : float
        Inverse temperature in (0, inf]; for inf the gap is the exploitability max_a (P pi)_a - 1/2.

    Returns
    -------
    float or (...) array
        At least 0, zero at the equilibrium only; a float for one policy.

    Raises
    ------
    TypeError, ValueError
        In one line, where P + P' = 1 fails or a value, shape or distribution is out of range.
    """
    A = _symmetric_game(preference)
    shape, rows = _log_policies("log_policy", log_policy, len(A))
    ref = checks.distribution("reference", reference, len(A))
    out = _gaps(A, rows, np.log(ref), _eta("eta", eta))
    return out.reshape(shape) if shape else float(out[0])


def _gaps(payoff: Array, log_policies: Array, log_reference: Array, eta: float) -> Array:
    out = np.empty(len(log_policies))
    _each_gap(payoff, log_policies, log_reference, eta, *np.empty((3, len(payoff))), out)
    return out


def exploitability(preference: ArrayLike, policy: ArrayLike) -> float:
    """What the best arm wins beyond 1/2 against a policy: max_a (P pi)_a - 1/2, zero for a von Neumann winner.

    Parameters
    ----------
    preference : (K, K) array_like
        P, with P + P' = 1 to 1e-9.
    policy : (K,) array_like
        Probabilities, zeros allowed, summing to one within 1e-9.

    Raises
    ------
    TypeError, ValueError
        In one line, where P + P' = 1 fails or a value, shape or distribution is out of range.
    """
    A = _symmetric_game(preference)
    return float((A @ checks.policy("policy", policy, (1, len(A)))[0]).max())


def duality_gap(
    payoff: ArrayLike,
    log_row: ArrayLike,
    log_column: ArrayLike,
    row_reference: ArrayLike,
    column_reference: ArrayLike,
    row_eta: float,
    column_eta: float | None = None,
) -> float:
    """Duality gap of a pair of policies: the sum of what each gives up against the other.

    Parameters
    ----------
    payoff : (m, n) array_like
        A, paid by the column player to the row player.
    log_row, log_column : (m,), (n,) array_like
        Logarithms of the policies; -inf stands for zero.
    row_reference, column_reference : (m,), (n,) array_like
        Positive reference policies.
    row_eta, column_eta : float
        Inverse temperatures in (0, inf]; the second is the first unless given.

    Returns
    -------
    float
        At least 0, zero at the equilibrium only.

    Raises
    ------
    TypeError, ValueError
        In one line, for a value, shape or distribution out of range.
    """
    A, row_ref, column_ref = _game(payoff, row_reference, column_reference)
    m, n = A.shape
    work = solver(m, n)
    work.log_policy[0, :m] = _one_log_policy("log_row", log_row, m)
    work.log_policy[1, :n] = _one_log_policy("log_column", log_column, n)
    work.log_reference[0, :m] = np.log(row_ref)
    work.log_reference[1, :n] = np.log(column_ref)
    work.eta[0] = _eta("row_eta", row_eta)
    work.eta[1] = work.eta[0] if column_eta is None else _eta("column_eta", column_eta)
    return float(game_gap(A, work))


def _one_log_policy(name: str, value: ArrayLike, size: int) -> Array:
    shape, rows = _log_policies(name, value, size)
    if shape:
        raise ValueError(f"{name}: shape {(*shape, size)} is not allowed, must be ({size},)")
    return rows[0]


def _game(payoff: ArrayLike, row_reference: ArrayLike, column_reference: ArrayLike) -> tuple[Array, Array, Array]:
    A = _matrix("payoff", payoff)
    row_ref = checks.distribution("row_reference", row_reference, A.shape[0])
    return A, row_ref, checks.distribution("column_reference", column_reference, A.shape[1])


def nash(payoff: ArrayLike) -> Nash:
    """A Nash equilibrium of a two-player zero-sum game without KL, with its certificate.

    By the simplex method on the payoffs rescaled to [1, 2]. Where there are several equilibria, which of them is
    returned is the method's choice: compare values and gaps, not policies. A constant game has uniform policies.

    Parameters
    ----------
    payoff : (m, n) array_like
        A, paid by the column player to the row player; max A - min A is finite.

    Returns
    -------
    Nash
        Policies p and q, the value, and the duality gap max_a (A q)_a - min_b (p' A)_b of these policies.

    Raises
    ------
    TypeError, ValueError
        In one line, for a value or shape out of range.
    RuntimeError
        Where the gap stays above 1e-9 (max A - min A).

    Notes
    -----
    The gap is evaluated on A - min A, which is exact where max A <= 2 min A: games with small differences around a
    large constant are solved to the precision of the differences. Games with nearly equal rows, whose bases are
    ill-conditioned, are solved a second time in twice the working precision. Of 970,000 random games of up to 50 x 50
    (0/1, of rank two, of many orders of magnitude, with rows and columns equal to 1e-3 ... 1e-15) none failed.
    """
    A = _matrix("payoff", payoff)
    with np.errstate(over="ignore"):
        extent = float(A.max() - A.min())
    if math.isinf(extent):
        raise ValueError("payoff: a range of inf is not allowed, must be finite")
    work = simplex(*A.shape)
    solved = minimax(A, work)
    if not solved:
        raise RuntimeError(f"nash: no equilibrium found, duality gap {work.status[1]:.3g} left")
    return Nash(work.row, work.column, float(work.status[0]), float(work.status[1]))


def von_neumann_winner(preference: ArrayLike) -> Array:
    """A policy that no arm beats on average: sum_a pi_a P[a, b] >= 1/2 for every b, as `nash` finds it.

    Where several policies qualify, which of them is returned is the method's choice: compare exploitabilities, not
    policies.

    Parameters
    ----------
    preference : (K, K) array_like
        P, with P + P' = 1 to 1e-9.

    Returns
    -------
    (K,) array
        Probabilities.

    Raises
    ------
    TypeError, ValueError
        In one line, where P + P' = 1 fails or a value or shape is out of range.
    """
    return nash(_symmetric_game(preference)).row


def newton(preference: ArrayLike, reference: ArrayLike, eta: float, *, start: ArrayLike | None = None) -> Equilibrium:
    """The KL-Nash policy pi*, the fixed point of pi = ref exp(eta P pi) / Z, to rounding: the reference solver.

    Newton's method in log policies with a line search on the exact gap and continuation in eta.

    Parameters
    ----------
    preference : (K, K) array_like
        P, with P + P' = 1 to 1e-9.
    reference : (K,) array_like
        Positive reference policy.
    eta : float
        Inverse temperature in (0, inf).
    start : (K,) array_like, optional
        Positive policy to start from, near the solution; default: continuation from the reference.

    Raises
    ------
    TypeError, ValueError
        In one line, where P + P' = 1 fails or a value, shape or distribution is out of range.
    RuntimeError
        Where the residual max_a |log BR(pi)_a - log pi_a| stays above max(1e-11, 2e-14 eta max|P - 1/2|).

    Notes
    -----
    On random games of up to twelve arms with references down to 1e-12 no failure is known for
    eta max|P - 1/2| <= 5000; beyond it failures are rare and raise.
    """
    A = _symmetric_game(preference)
    log_ref = np.log(checks.distribution("reference", reference, len(A)))
    e = _finite_eta("eta", eta)
    work = solver(len(A), len(A))
    if start is not None:
        work.log_policy[:] = np.log(checks.distribution("start", start, len(A)))
    _check_solved("newton", saddle(A, log_ref, log_ref, e, e, work, start is not None), work, e)
    log_policy = work.log_policy[0].copy()
    gap = float(_gaps(A, log_policy[None, :], log_ref, e)[0])
    return Equilibrium(log_policy, gap, float(work.status[1]), int(work.status[2]))


def newton_game(
    payoff: ArrayLike,
    row_reference: ArrayLike,
    column_reference: ArrayLike,
    row_eta: float,
    column_eta: float | None = None,
    *,
    row_start: ArrayLike | None = None,
    column_start: ArrayLike | None = None,
) -> Saddle:
    """The KL equilibrium of a two-player zero-sum game, to rounding, as `newton` finds it.

    Parameters
    ----------
    payoff : (m, n) array_like
        A, paid by the column player to the row player.
    row_reference, column_reference : (m,), (n,) array_like
        Positive reference policies.
    row_eta, column_eta : float
        Inverse temperatures in (0, inf); the second is the first unless given.
    row_start, column_start : (m,), (n,) array_like, optional
        Positive policies to start from, both or neither; default: continuation from the references.

    Raises
    ------
    TypeError, ValueError
        In one line, for a value, shape or distribution out of range.
    RuntimeError
        Where the residual stays above max(1e-11, 1e-14 eta (max A - min A)).
    """
    A, row_ref, column_ref = _game(payoff, row_reference, column_reference)
    e = _finite_eta("row_eta", row_eta)
    f = e if column_eta is None else _finite_eta("column_eta", column_eta)
    if (row_start is None) != (column_start is None):
        raise ValueError("row_start: a start of one player is not allowed, must be given for both or neither")
    tall = A.shape[0] > A.shape[1]
    if tall:  # the same game seen by the column player, whose Newton steps are cheaper
        A, row_ref, column_ref, e, f = np.ascontiguousarray(-A.T), column_ref, row_ref, f, e
    m, n = A.shape
    work = solver(m, n)
    if row_start is not None and column_start is not None:
        names = ("column_start", "row_start") if tall else ("row_start", "column_start")
        starts = (column_start, row_start) if tall else (row_start, column_start)
        work.log_policy[0, :m] = np.log(checks.distribution(names[0], starts[0], m))
        work.log_policy[1, :n] = np.log(checks.distribution(names[1], starts[1], n))
    solved = saddle(A, np.log(row_ref), np.log(column_ref), e, f, work, row_start is not None)
    _check_solved("newton_game", solved, work, max(e, f))
    row, column = work.log_policy[0, :m].copy(), work.log_policy[1, :n].copy()
    gap, residual, steps, _ = work.status
    return Saddle(*((column, row) if tall else (row, column)), float(gap), float(residual), int(steps))


def _check_solved(name: str, solved: bool, work: Solver, eta: float) -> None:
    if not solved:
        raise RuntimeError(f"{name}: no equilibrium found at eta = {eta:g}, duality gap {work.status[0]:.3g} left")


def best_response_iteration(
    preference: ArrayLike,
    reference: ArrayLike,
    eta: float,
    *,
    steps: int,
    step_size: float | None = None,
    start: ArrayLike | None = None,
) -> Iterates:
    """Best-response iteration: pi <- BR(pi), the undamped fixed point.

    It converges only for small eta: locally if and only if eta A (diag pi* - pi* pi*') has spectral radius below one.
    With a step size w < 1, log pi moves by w (log BR(pi) - log pi), which is `magnetic_mirror_descent` with the step
    size eta w / (1 - w).

    Parameters
    ----------
    preference : (K, K) array_like
        P, with P + P' = 1 to 1e-9.
    reference : (K,) array_like
        Positive reference policy.
    eta : float
        Inverse temperature in (0, inf).
    steps : int
        Iterations >= 0.
    step_size : float, optional
        w in (0, 1]; default 1.
    start : (K,) array_like, optional
        Positive start; default: the reference.

    Raises
    ------
    TypeError, ValueError
        In one line, where P + P' = 1 fails or a value, shape or distribution is out of range.
    """
    A, ref, first, n = _setting(preference, reference, start, steps)
    e = _finite_eta("eta", eta)
    w = 1.0 if step_size is None else checks.number("step_size", step_size, 0.0, 1.0, closed=False)
    return _path(PLAIN, A, ref, e, first, np.full(n, w), np.full(n, w * e))


def multiplicative_weights(
    preference: ArrayLike,
    reference: ArrayLike,
    eta: float,
    *,
    steps: int,
    step_size: float | None = None,
    start: ArrayLike | None = None,
) -> Iterates:
    """Multiplicative weights, or exact SPPO: pi <- pi exp(alpha P pi) / Z.

    It solves the game without KL; `eta` is only that of the gaps, the reference only theirs and the default start.
    With D = max_a -log start_a, the average of all T = steps + 1 policies has exploitability at most
    sqrt(D / (2 T)) at the default step size, log(1 / start) / (alpha T) + alpha / 8 at any. The last iterate cycles.

    Parameters
    ----------
    preference : (K, K) array_like
        P, with P + P' = 1 to 1e-9 and entries in [0, 1] for the guarantee.
    reference : (K,) array_like
        Positive reference policy.
    eta : float
        Inverse temperature of the gaps in (0, inf]; inf gives exploitabilities.
    steps : int
        Iterations >= 0.
    step_size : float, optional
        alpha > 0; default sqrt(8 D / (steps + 1)).
    start : (K,) array_like, optional
        Positive start; default: the reference.

    Raises
    ------
    TypeError, ValueError
        In one line, where P + P' = 1 fails or a value, shape or distribution is out of range.

    References
    ----------
    Wu et al. 2024, arXiv:2405.00675, with all actions and the exact P; the bound is Hedge's.
    """
    A, ref, first, n = _setting(preference, reference, start, steps)
    e = _eta("eta", eta)
    default = math.sqrt(8.0 * max(-math.log(first.min()), 0.0) / (n + 1))
    alpha = _step_size(step_size, default, math.inf)
    return _path(PLAIN, A, ref, e, first, np.zeros(n), np.full(n, alpha))


def nash_md(
    preference: ArrayLike,
    reference: ArrayLike,
    eta: float,
    *,
    steps: int,
    step_size: float | None = None,
    start: ArrayLike | None = None,
) -> Iterates:
    """Nash mirror descent: with mu = pi^(1 - w) ref^w / Z, w = alpha / eta, pi <- mu exp(alpha P mu) / Z.

    From the reference, with the default step sizes and entries of P in [0, 1], KL(pi* || pi_T) <= eta^2 / (2 (T + 1)).

    Parameters
    ----------
    preference : (K, K) array_like
        P, with P + P' = 1 to 1e-9.
    reference : (K,) array_like
        Positive reference policy.
    eta : float
        Inverse temperature in (0, inf).
    steps : int
        Iterations >= 0.
    step_size : float, optional
        A constant alpha in (0, eta]; default: alpha_t = 2 eta / (t + 2) at iteration t = 0, 1, ...
    start : (K,) array_like, optional
        Positive start; default: the reference.

    Raises
    ------
    TypeError, ValueError
        In one line, where P + P' = 1 fails or a value, shape or distribution is out of range.

    References
    ----------
    Munos et al. 2024, arXiv:2312.00886, reconstructed; the constant is sharper than the published 8 eta^2.
    """
    A, ref, first, n = _setting(preference, reference, start, steps)
    e = _finite_eta("eta", eta)
    alpha = np.asarray(2.0 * e / (np.arange(n) + 2.0))
    if step_size is not None:
        alpha = np.full(n, _step_size(step_size, 0.0, e))
    return _path(NASH_MD, A, ref, e, first, alpha / e, alpha)


def magnetic_mirror_descent(
    preference: ArrayLike,
    reference: ArrayLike,
    eta: float,
    *,
    steps: int,
    step_size: float | None = None,
    start: ArrayLike | None = None,
) -> Iterates:
    """Magnetic mirror descent: pi <- [pi ref^(alpha / eta) exp(alpha P pi)]^(1 / (1 + alpha / eta)) / Z.

    For alpha <= 1 / (eta L^2), L = max |P - 1/2|, KL(pi* || pi_T) <= (1 + alpha / eta)^-T KL(pi* || pi_0).

    Parameters
    ----------
    preference : (K, K) array_like
        P, with P + P' = 1 to 1e-9.
    reference : (K,) array_like
        Positive reference policy.
    eta : float
        Inverse temperature in (0, inf).
    steps : int
        Iterations >= 0.
    step_size : float, optional
        alpha > 0; default 1 / (eta L^2), at most 10^6 eta.
    start : (K,) array_like, optional
        Positive start; default: the reference.

    Raises
    ------
    TypeError, ValueError
        In one line, where P + P' = 1 fails or a value, shape or distribution is out of range.

    References
    ----------
    Sokota et al. 2023, arXiv:2206.05825, reconstructed.
    """
    A, ref, first, n = _setting(preference, reference, start, steps)
    e = _finite_eta("eta", eta)
    sharpness = max(e * float(np.abs(A).max()), 1e-3)
    alpha = _step_size(step_size, e / (sharpness * sharpness), math.inf)
    w = alpha / (e + alpha)
    return _path(PLAIN, A, ref, e, first, np.full(n, w), np.full(n, w * e))


def extragradient(
    preference: ArrayLike,
    reference: ArrayLike,
    eta: float,
    *,
    steps: int,
    step_size: float | None = None,
    start: ArrayLike | None = None,
) -> Iterates:
    """Extragradient, or the predictive update: the default among the iterations at large eta.

    With w = alpha / eta, a midpoint rho = pi^(1 - w) ref^w exp(alpha P pi) / Z and then
    pi <- pi^(1 - w) ref^w exp(alpha P rho) / Z. For alpha <= 1 / (1 / eta + L), L = max |P - 1/2|,
    KL(pi* || pi_T) <= (1 - alpha / eta)^T KL(pi* || pi_0).

    Parameters
    ----------
    preference : (K, K) array_like
        P, with P + P' = 1 to 1e-9.
    reference : (K,) array_like
        Positive reference policy.
    eta : float
        Inverse temperature in (0, inf).
    steps : int
        Iterations >= 0.
    step_size : float, optional
        alpha in (0, eta]; default 1 / (2 / eta + 4 L).
    start : (K,) array_like, optional
        Positive start; default: the reference.

    Raises
    ------
    TypeError, ValueError
        In one line, where P + P' = 1 fails or a value, shape or distribution is out of range.

    References
    ----------
    Cen, Wei and Chi 2021, arXiv:2105.15186, reconstructed.
    """
    A, ref, first, n = _setting(preference, reference, start, steps)
    e = _finite_eta("eta", eta)
    alpha = _step_size(step_size, e / (2.0 + 4.0 * e * float(np.abs(A).max())), e)
    return _path(EXTRAGRADIENT, A, ref, e, first, np.full(n, alpha / e), np.full(n, alpha))


def magnetic_mirror_descent_game(
    payoff: ArrayLike,
    row_reference: ArrayLike,
    column_reference: ArrayLike,
    eta: float,
    *,
    steps: int,
    step_size: float | None = None,
) -> GameIterates:
    """Magnetic mirror descent of two players at once, each as in `magnetic_mirror_descent`.

    The row player's scores are A q, the column player's -A' p. With D_t the sum of both players' KL(pi* || pi_t) and
    L half the range of A, D_t <= (1 + alpha / eta)^-t D_0 for alpha <= 1 / (eta L^2).

    Parameters
    ----------
    payoff : (m, n) array_like
        A, paid by the column player to the row player.
    row_reference, column_reference : (m,), (n,) array_like
        Positive reference policies, also the start.
    eta : float
        Inverse temperature of both players in (0, inf).
    steps : int
        Iterations >= 0.
    step_size : float, optional
        alpha > 0; default 1 / (eta L^2), at most 10^6 eta.

    Raises
    ------
    TypeError, ValueError
        In one line, for a value, shape or distribution out of range.

    References
    ----------
    Sokota et al. 2023, arXiv:2206.05825, reconstructed.
    """
    e = _finite_eta("eta", eta)
    sharpness = max(e * 0.5 * float(np.ptp(_matrix("payoff", payoff))), 1e-3)
    alpha = _step_size(step_size, e / (sharpness * sharpness), math.inf)
    w = alpha / (e + alpha)
    return _game_path(False, payoff, row_reference, column_reference, e, steps, w, w * e)


def extragradient_game(
    payoff: ArrayLike,
    row_reference: ArrayLike,
    column_reference: ArrayLike,
    eta: float,
    *,
    steps: int,
    step_size: float | None = None,
) -> GameIterates:
    """Extragradient of two players at once, each as in `extragradient`: the faster one at large eta.

    Each takes its step from the old policy with the scores of the other's midpoint. With D_t the sum of both players'
    KL(pi* || pi_t) and L half the range of A, D_t <= (1 - alpha / eta)^t D_0 for alpha <= 1 / (1 / eta + L).

    Parameters
    ----------
    payoff : (m, n) array_like
        A, paid by the column player to the row player.
    row_reference, column_reference : (m,), (n,) array_like
        Positive reference policies, also the start.
    eta : float
        Inverse temperature of both players in (0, inf).
    steps : int
        Iterations >= 0.
    step_size : float, optional
        alpha in (0, eta]; default 1 / (2 / eta + 4 L).

    Raises
    ------
    TypeError, ValueError
        In one line, for a value, shape or distribution out of range.

    References
    ----------
    Cen, Wei and Chi 2021, arXiv:2105.15186, reconstructed.
    """
    e = _finite_eta("eta", eta)
    alpha = _step_size(step_size, e / (2.0 + 2.0 * e * float(np.ptp(_matrix("payoff", payoff)))), e)
    return _game_path(True, payoff, row_reference, column_reference, e, steps, alpha / e, alpha)


def _setting(
    preference: ArrayLike, reference: ArrayLike, start: ArrayLike | None, steps: int
) -> tuple[Array, Array, Array, int]:
    """Payoff, reference, start and number of iterations, checked."""
    A = _symmetric_game(preference)
    ref = checks.distribution("reference", reference, len(A))
    first = ref if start is None else checks.distribution("start", start, len(A))
    return A, ref, first, checks.integer("steps", steps, 0)


def _step_size(value: float | None, default: float, high: float) -> float:
    if value is None:
        return default
    return checks.finite("step_size", value, 0.0, high, closed=False)


def _path(
    kind: int, payoff: Array, reference: Array, eta: float, start: Array, weights: Array, steps: Array
) -> Iterates:
    """The iterates, their averages and the gaps of both."""
    log_policies = np.empty((weights.size + 1, len(payoff)))
    log_policies[0] = np.log(start)
    log_reference = np.log(reference)
    _iterate(kind, payoff, log_reference, weights, steps, *np.empty((3, len(payoff))), log_policies)
    averages = np.cumsum(np.exp(log_policies), axis=0) / np.arange(1.0, weights.size + 2.0)[:, None]
    with np.errstate(divide="ignore"):
        log_averages = np.log(averages)
    gaps = _gaps(payoff, log_policies, log_reference, eta)
    return Iterates(log_policies, gaps, averages, _gaps(payoff, log_averages, log_reference, eta))


def _game_path(
    predictive: bool,
    payoff: ArrayLike,
    row_reference: ArrayLike,
    column_reference: ArrayLike,
    eta: float,
    steps: int,
    weight: float,
    step: float,
) -> GameIterates:
    """The iterates of both players from their references, and the gaps."""
    A, row_ref, column_ref = _game(payoff, row_reference, column_reference)
    m, n = A.shape
    count = checks.integer("steps", steps, 0) + 1
    work = solver(m, n)
    work.eta[:] = eta
    work.log_reference[0, :m] = work.log_policy[0, :m] = np.log(row_ref)
    work.log_reference[1, :n] = work.log_policy[1, :n] = np.log(column_ref)
    path = GameIterates(np.empty((count, m)), np.empty((count, n)), np.empty(count))
    _iterate_game(predictive, A, work, weight, step, *path)
    return path
