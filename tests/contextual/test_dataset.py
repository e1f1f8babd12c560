"""Sufficient statistics of offline data, their estimates, and the policies made of them."""

import math

import numpy as np
import pytest
from scipy import stats

from banditlab import regularizer
from banditlab.contextual.dataset import Dataset, Fitted
from banditlab.contextual.problem import linear, tabular

MEAN = np.array([[0.2, 0.5, 0.9], [0.7, 0.1, 0.4]])
REFERENCE = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])


def problem(**options):
    return tabular(MEAN, reference=REFERENCE, **{"eta": 3.0, **options})


def test_estimates_of_a_hand_worked_dataset():
    data = problem().described(
        np.array([[4.0, 0.0, 1.0], [0.0, 9.0, 0.0]]), np.array([[1.0, 0.0, 1.0], [0.0, 3.0, 0.0]])
    )
    assert data.samples == 14
    np.testing.assert_array_equal(data.means(0.5), [[0.25, 0.5, 1.0], [0.5, 1.0 / 3.0, 0.5]])
    level = math.log(2.0 * 6.0 / 0.05)
    width = data.width(0.5, 0.05)
    assert width[0, 0] == pytest.approx(0.5 * math.sqrt(level / (2.0 * 4.0)), rel=1e-14)  # Hoeffding
    assert width[1, 1] == pytest.approx(0.5 * math.sqrt(level / (2.0 * 9.0)), rel=1e-14)
    assert np.isinf(width[data.counts == 0.0]).all()
    np.testing.assert_allclose(data.lower(0.1, 1.0)[0, 2], 1.0 - 0.1 * math.sqrt(math.log(12.0) / 2.0), rtol=1e-14)
    assert (data.lower(0.5, 0.05)[data.counts == 0.0] == 0.0).all()  # the floor


def test_widths_scale_with_sigma():
    wide = problem(noise="gaussian", spread=1.5).dataset(100, 0, 0)
    plain = wide._replace(sigma=0.5)
    np.testing.assert_allclose(wide.width(1.0, 0.05), 3.0 * plain.width(1.0, 0.05), rtol=1e-14)


def test_all_seen_means_are_within_their_widths_except_with_probability_delta():
    p, datasets, delta = problem(), 2000, 0.3

    def misses(scale):
        failures = 0
        for i in range(datasets):
            data = p.dataset(60, 3, i)
            failures += bool((np.abs(data.means(0.5) - MEAN) > data.width(scale, delta))[data.counts > 0.0].any())
        return failures / datasets

    margin = 4.0 * math.sqrt(delta * (1.0 - delta) / datasets)
    assert misses(1.0) <= delta + margin
    assert misses(0.5) > delta + margin  # control: half the width is none


def test_lower_bounds_are_at_most_the_means_and_at_least_the_floor():
    p = tabular(MEAN - 0.5, eta=2.0, noise="gaussian", floor=-1.0)
    for i in range(50):
        data = p.dataset(30, 1, i)
        for scale in (0.0, 0.3, 1.0):
            low = data.lower(scale, 0.05)
            assert (low <= np.maximum(data.means(-1.0), -1.0)).all()
            assert (low >= -1.0).all()


@pytest.mark.parametrize("name", list(regularizer.CODES))
@pytest.mark.parametrize("eta", [0.7, 6.0, math.inf])
def test_the_policy_of_an_estimate_is_optimal_for_it(name, eta):
    options = {"eta": eta, "regularizer": name, "alpha": 1.5 if name == "alpha" else None}
    estimate = np.random.default_rng(1).random(MEAN.shape)
    fitted = problem(**options).dataset(10, 0, 0).optimal(estimate)
    assert isinstance(fitted, Fitted)
    known = tabular(estimate, reference=REFERENCE, **options).optimal
    np.testing.assert_allclose(fitted, known, rtol=1e-12, atol=1e-300)
    np.testing.assert_array_equal(fitted.estimate, estimate)


def test_a_fitted_policy_is_read_only_and_what_is_computed_from_it_is_ordinary():
    p = problem()
    fitted = p.dataset(10, 0, 0).optimal(MEAN)
    with pytest.raises(ValueError, match="read-only"):
        fitted[0, 0] = 1.0
    assert fitted.serves(p)
    assert not fitted.serves(problem(eta=4.0))
    assert not fitted.serves(tabular(MEAN, eta=3.0))  # another reference
    assert not fitted.serves(problem(regularizer="chi2"))
    mixed = 0.5 * fitted + 0.5 * REFERENCE
    assert not mixed.serves(p)
    assert p.suboptimality(mixed) > 0.0


def test_the_estimate_keeps_the_digits_of_a_tiny_gap():
    p = problem()
    near = MEAN + 1e-12 * np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    fitted = p.dataset(10, 0, 0).optimal(near)
    centred = (near - MEAN) - (p.optimal * (near - MEAN)).sum(axis=1, keepdims=True)
    expected = 0.5 * p.eta * (p.law[:, None] * p.optimal * centred**2).sum()  # second order; the third is 1e-12 of it
    assert p.suboptimality(fitted) == pytest.approx(expected, rel=1e-6, abs=0.0)
    assert p.suboptimality(np.array(fitted)) != pytest.approx(expected, rel=1e-6, abs=0.0)  # from probabilities alone


def test_counts_follow_the_behaviour_and_never_a_forbidden_pair():
    behaviour = np.array([[0.5, 0.0, 0.5], [0.2, 0.3, 0.5]])
    p = problem(behaviour=behaviour, law=[0.3, 0.7])
    n = 10**9
    data = p.dataset(n, 0, 0)
    assert data.samples == n
    expected = p.law[:, None] * behaviour
    error = np.sqrt(expected * (1.0 - expected) / n)
    assert (np.abs(data.counts / n - expected) <= 4.0 * error + 1e-15).all()
    assert data.counts[0, 1] == 0.0
    error = np.sqrt(MEAN * (1.0 - MEAN) / np.maximum(data.counts, 1.0))
    assert (np.abs(data.means(0.0) - MEAN) <= 4.0 * error)[data.counts > 0.0].all()


def test_small_datasets_have_the_law_of_independent_rows():
    # n = 2 rows: all outcomes of (counts, sums), a cell being a pair and its reward
    behaviour = np.array([[0.5, 0.0, 0.5], [0.2, 0.3, 0.5]])
    p = problem(behaviour=behaviour, law=[0.35, 0.65])
    chance, datasets = p.law[:, None] * behaviour, 20_000
    cells = [
        ((s, a), x, chance[s, a] * (MEAN[s, a] if x else 1.0 - MEAN[s, a])) for s, a in np.ndindex(2, 3) for x in (0, 1)
    ]
    expected = {}
    for first, x, q in cells:
        for second, y, v in cells:
            counts, total = np.zeros((2, 3)), np.zeros((2, 3))
            for pair, reward in ((first, x), (second, y)):
                counts[pair] += 1.0
                total[pair] += reward
            if q * v > 0.0:
                key = counts.tobytes() + total.tobytes()
                expected[key] = expected.get(key, 0.0) + datasets * q * v
    assert len(expected) == 5 * 3 + 10 * 4 and min(expected.values()) > 5.0

    def chi_square(draw):
        found = dict.fromkeys(expected, 0)
        for i in range(datasets):
            found[draw(i)] += 1  # nothing else is possible
        return sum((found[key] - mean) ** 2 / mean for key, mean in expected.items())

    def outcome(problem, i):
        data = problem.dataset(2, 5, i)
        return data.counts.tobytes() + data.total.tobytes()

    most = stats.chi2.isf(3e-5, len(expected) - 1)  # as seldom as 4 standard errors
    assert chi_square(lambda i: outcome(p, i)) < most
    uniform = problem(behaviour=behaviour, law=[0.5, 0.5])
    assert chi_square(lambda i: outcome(uniform, i)) > most  # control: contexts drawn uniformly

    rng = np.random.default_rng(0)

    def rounded(i):  # control: the likeliest counts, with independent rewards
        counts = np.zeros((2, 3))
        counts.ravel()[np.argsort(-chance.ravel(), kind="stable")[:2]] = 1.0
        return counts.tobytes() + rng.binomial(counts.astype(int), MEAN).astype(float).tobytes()

    assert chi_square(rounded) > most


def test_data_are_read_only_and_depend_on_seed_replication_and_size():
    p = problem()
    data = p.dataset(100, 0, 0)
    assert not data.counts.flags.writeable
    assert not data.total.flags.writeable
    np.testing.assert_array_equal(data.counts, p.dataset(100, 0, 0).counts)
    for other in (p.dataset(100, 1, 0), p.dataset(100, 0, 1), p.dataset(101, 0, 0)):
        assert (other.counts != data.counts).any() or (other.total != data.total).any()


def test_the_empty_dataset_has_no_samples_and_infinite_widths():
    data = problem().dataset(0, 0, 0)
    assert data.samples == 0
    assert np.isinf(data.width(1.0, 0.05)).all()
    np.testing.assert_array_equal(data.lower(1.0, 0.05), np.zeros(MEAN.shape))
    np.testing.assert_allclose(data.optimal(data.lower(1.0, 0.05)), REFERENCE, rtol=1e-15)


def test_data_carry_what_a_learner_may_know():
    features = np.random.default_rng(0).normal(size=(2, 3, 2)) / 10.0
    p = linear(features, [0.5, -0.5], eta=2.0, radius=1.0, spread=0.3)
    data = p.dataset(5, 0, 0)
    assert isinstance(data, Dataset)
    known = (data.eta, data.sigma, data.floor, data.ceiling, data.radius, data.regularizer_name)
    assert known == (2.0, 0.3, p.floor, p.ceiling, 1.0, "kl")
    assert all(isinstance(bound, float) for bound in (data.floor, data.ceiling))
    np.testing.assert_array_equal(data.features, features)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((-1.0, 0.05), "scale: "), ((math.inf, 0.05), "scale: "), ((1.0, 0.0), "delta: "), ((1.0, 1.1), "delta: ")],
)
def test_bad_parameters_of_a_width_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}.*$"):
        problem().dataset(5, 0, 0).width(*arguments)
