"""Greedy offline RLHF: DPO's minimiser, its certificate at every draw, and the rate 1 / n."""

import numpy as np
import pytest
from scipy import optimize

import banditlab as bl
from banditlab.dueling import instances
from banditlab.dueling.bt_greedy import bt_greedy
from banditlab.dueling.problem import bradley_terry, preferences


def test_it_is_the_minimiser_of_the_dpo_loss():
    """Five arms, every pair compared; the loss is minimised over logits by scipy, to 1e-5."""
    g = np.random.default_rng(0)
    eta, reference = 2.0, g.dirichlet(np.ones(5))
    problem = bradley_terry(g.random(5), eta=eta, span=50.0, reference=reference, behaviour=np.full(5, 0.2))
    data = problem.dataset(4000, 0, 0)
    wins = data.wins[0]
    assert (wins[~np.eye(5, dtype=bool)] > 0).all()

    def dpo(logits):
        h = (logits - np.log(reference)) / eta  # log pi up to its normaliser, which cancels
        return float((wins * np.logaddexp(0.0, -(h[:, None] - h[None, :]))).sum())

    found = optimize.minimize(dpo, np.zeros(5), method="BFGS", options={"gtol": 1e-7}).x
    policy = np.exp(found - found.max())
    np.testing.assert_allclose(bt_greedy(data, lam=1e-9)[0], policy / policy.sum(), atol=1e-5)


def test_its_gap_is_below_the_plug_in_certificate_at_every_draw():
    """(0.4) of the family: gap <= eta E_x range(r - rhat)^2 / 8, and <= E_x range; a hundredth of it is exceeded."""
    g = np.random.default_rng(1)
    ratios = []
    for draw in range(200):
        X, K, eta = int(g.integers(1, 5)), int(g.integers(2, 7)), float(10.0 ** g.uniform(-2.0, 3.0))
        reference = g.dirichlet(np.ones(K), size=X) * 0.9 + 0.1 / K
        problem = bradley_terry(g.random((X, K)), eta=eta, span=1.5, reference=reference)
        policy = bt_greedy(problem.dataset(int(10 ** g.integers(1, 5)), 0, draw))
        error = problem.reward - policy.estimate
        span = error.max(axis=1) - error.min(axis=1)
        bound = min(eta / 8.0 * float(problem.law @ span**2), float(problem.law @ span))
        ratios.append(problem.suboptimality(policy) / bound)
    assert max(ratios) <= 1.0 + 1e-9
    assert max(ratios) > 0.01


@pytest.mark.slow
def test_it_falls_like_one_over_n():
    """Exponent of the mean over n = 2^10 .. 2^16 at eta = 2: -1 within .1, more than four standard errors."""
    problem = bradley_terry([0.9, 0.2, 0.5, 0.6], eta=2.0)
    found = bl.run_offline(problem, {"a": bt_greedy}, samples=[2**k for k in range(10, 17)], replications=300)
    row = found.rates().iloc[0]
    assert (row["exponent_high"] - row["exponent_low"]) / 4.0 < 0.025
    assert abs(row["exponent"] + 1.0) < 0.1
    assert abs(row["exponent"] + 0.5) > 0.1  # control


def test_bad_input():
    problem = instances.rare_good()
    with pytest.raises(ValueError, match="lam: 0 is not in"):
        bt_greedy(problem.dataset(10, 0, 0), lam=0.0)
    with pytest.raises(ValueError, match="preference: bt_greedy needs Bradley-Terry preferences"):
        bt_greedy(preferences([[0.5, 0.7], [0.3, 0.5]], eta=1.0).dataset(10, 0, 0))
