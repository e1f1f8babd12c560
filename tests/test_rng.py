"""Random streams: published vectors, an independent implementation, and each law against SciPy.

A statistic passes where its p-value exceeds P_MIN, that of four standard errors of a normal; seeds are fixed.
"""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from banditlab import rng
from banditlab.jit import jit

P_MIN = 6.3e-5
MASK = 2**64 - 1


def splitmix64(z):
    """Steele, Lea and Flood's generator on Python integers."""
    while True:
        z = (z + 0x9E3779B97F4A7C15) & MASK
        x = z
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
        yield x ^ (x >> 31)


def xoshiro256pp(s):
    """Blackman and Vigna's generator on Python integers."""

    def rotl(x, k):
        return ((x << k) | (x >> (64 - k))) & MASK

    s = list(s)
    while True:
        yield (rotl((s[0] + s[3]) & MASK, 23) + s[0]) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)


def take(n, generator):
    return list(itertools.islice(generator, n))


def state_giving(word):
    """A state whose next 64 bits are `word`: with s0 = 0 they are rotl(s3, 23)."""
    s3 = ((word >> 23) | (word << 41)) & MASK
    return np.array([0, 1, 2, s3], dtype=np.uint64)


@jit
def fill(law, state, a, b, out):
    for i in range(out.size):
        if law == 0:
            out[i] = rng.uniform(state)
        elif law == 1:
            out[i] = rng.normal(state)
        elif law == 2:
            out[i] = rng.normal_from_two(state)
        elif law == 3:
            out[i] = rng.exponential(state)
        elif law == 4:
            out[i] = rng.gamma(state, a)
        elif law == 5:
            out[i] = rng.beta(state, a, b)
        else:
            out[i] = rng.binomial(state, np.int64(a), b)


LAWS = {
    name: code for code, name in enumerate(("uniform", "normal", "normal_from_two", "exponential", "gamma", "beta"))
}
BINOMIAL = 6


def sample(law, n, *parameters, seed=1):
    a, b = (*map(float, parameters), 0.0, 0.0)[:2]
    out = np.zeros(n)
    fill(LAWS.get(law, BINOMIAL), rng.stream(seed, rng.LEARNER, 0), a, b, out)
    return out


def fingerprint():
    """Bits of a few draws of every law, as text."""
    out = []
    for law in LAWS:
        for a, b in ((0.3, 0.6), (4.5, 2.0)):
            out += sample(law, 60, a, b).tolist()
    for n, p in ((5, 0.3), (1000, 0.4), (10**9, 0.7), (10**6, 1e-320), (10**9, 1e-25)):
        out += sample("binomial", 20, n, p).tolist()
    state = rng.stream(3, 0, 0)
    out += [rng.categorical(state, np.array([0.2, 0.0, 0.5, 0.3])) for _ in range(50)]
    out += multinomials(20, 1000, [0.2, 0.0, 0.5, 0.3]).ravel().tolist()
    return [float(x).hex() for x in out]


# By hand


def test_splitmix64_gives_its_published_numbers():
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert take(4, splitmix64(1234567)) == published
    golden = 0x9E3779B97F4A7C15
    assert [rng._mix((1234567 + i * golden) & MASK) for i in range(1, 5)] == published


def test_xoshiro256pp_gives_its_published_numbers():
    published = [
        41943041,
        58720359,
        3588806011781223,
        3591011842654386,
        9228616714210784205,
        9973669472204895162,
        14011001112246962877,
        12406186145184390807,
        15849039046786891736,
        10450023813501588000,
    ]
    assert take(10, xoshiro256pp((1, 2, 3, 4))) == published
    state = np.array([1, 2, 3, 4], dtype=np.uint64)
    assert [int(rng.bits(state)) for _ in range(10)] == published


# Against an independent implementation


def test_bits_agree_with_the_generator_on_python_integers():
    for seed in (0, 1, 2**63 + 12345):
        state = rng.stream(seed, rng.LEARNER, 5)
        reference = take(2000, xoshiro256pp(int(x) for x in state))
        assert [int(rng.bits(state)) for _ in range(2000)] == reference


def test_stream_is_a_chain_of_splitmix64():
    for seed, kind, replication in ((0, 0, 0), (7, 1, 123456), (MASK, 1, MASK)):
        z = next(splitmix64(seed))
        z = next(splitmix64(z ^ kind))
        z = next(splitmix64(z ^ replication))
        assert [int(x) for x in rng.stream(seed, kind, replication)] == take(4, splitmix64(z))


def test_uniform_is_the_top_53_bits():
    assert rng.uniform(state_giving(0)) == 0.0
    assert rng.uniform(state_giving(MASK)) == 1.0 - 2.0**-53
    assert rng.uniform(state_giving(1 << 63)) == 0.5
    assert rng.uniform(state_giving((1 << 11) - 1)) == 0.0


# Laws

CONTINUOUS = [
    ("uniform", (), stats.uniform(), stats.uniform(0.0, 1.03)),
    ("normal", (), stats.norm(), stats.norm(0.0, 1.05)),
    ("normal_from_two", (), stats.norm(), stats.norm(0.03, 1.0)),
    ("exponential", (), stats.expon(), stats.expon(scale=1.05)),
    *(("gamma", (s,), stats.gamma(s), stats.gamma(1.1 * s)) for s in (0.05, 0.7, 1.0, 3.7, 250.0)),
    *(
        ("beta", (a, b), stats.beta(a, b), stats.beta(1.1 * a, b))
        for a, b in ((0.3, 0.7), (1.0, 1.0), (2.0, 5.0), (60.0, 3.0))
    ),
]


@pytest.mark.parametrize(("law", "parameters", "right", "wrong"), CONTINUOUS)
def test_law_agrees_with_scipy_and_a_shifted_one_does_not(law, parameters, right, wrong):
    x = sample(law, 60_000, *parameters)
    assert stats.kstest(x, right.cdf).pvalue > P_MIN
    assert stats.kstest(x, wrong.cdf).pvalue < P_MIN


def test_normal_is_right_in_every_part_of_the_ziggurat():
    x = sample("normal", 4_000_000)
    edges = np.concatenate(([-np.inf], np.linspace(-rng._TAIL, rng._TAIL, 120), [np.inf]))
    counts = np.histogram(x, edges)[0]
    assert stats.chisquare(counts, x.size * np.diff(stats.norm.cdf(edges))).pvalue > P_MIN
    tail = np.abs(x[np.abs(x) > rng._TAIL])
    assert tail.size > 900
    assert stats.kstest(tail, lambda y: 1.0 - stats.norm.sf(y) / stats.norm.sf(rng._TAIL)).pvalue > P_MIN
    assert abs(np.mean(x[:-1] * x[1:])) < 4.0 / math.sqrt(x.size)


def test_beta_of_shapes_near_zero_is_two_point():
    x = sample("beta", 40_000, 1e-4, 3e-4)
    assert np.isfinite(x).all()
    assert np.mean((x > 1e-6) & (x < 1 - 1e-6)) < 0.01
    assert abs(x.mean() - 0.25) < 4.0 * math.sqrt(0.25 * 0.75 / x.size)


def binomial_p_value(x, n, p):
    """Chi^2 of a sample against Binomial(n, p), cells of equal probability or single values."""
    law = stats.binom(n, p)
    edges = np.unique(law.ppf(np.linspace(0.0, 1.0, 31)[1:-1]))
    cells = np.concatenate(([0.0], law.cdf(edges), [1.0]))
    counts = np.bincount(np.searchsorted(edges, x), minlength=edges.size + 1)
    keep = np.diff(cells) * x.size > 5.0
    observed = np.append(counts[keep], counts[~keep].sum())
    expected = np.append(np.diff(cells)[keep], np.diff(cells)[~keep].sum()) * x.size
    if expected[-1] <= 5.0:
        observed, expected = observed[:-1], expected[:-1] * x.size / expected[:-1].sum()
        observed = observed * x.size / observed.sum()
    return stats.chisquare(observed, expected).pvalue


BINOMIALS = [
    *((1, 0.3), (7, 0.5), (25, 0.04), (25, 0.45), (100, 0.3), (100, 0.7), (2000, 0.01)),
    *((10**6, 3e-6), (10**9, 1e-9), (10**9, 3e-8), (10**9, 3e-4), (10**9, 0.5), (10**9, 0.93), (10**13, 0.4)),
]


@pytest.mark.parametrize(("n", "p"), BINOMIALS)
def test_binomial_is_exact_for_small_and_for_huge_n(n, p):
    N = 200_000
    x = sample("binomial", N, n, p)
    mean, variance, kurtosis = stats.binom.stats(n, p, moments="mvk")
    assert (x == np.floor(x)).all() and x.min() >= 0 and x.max() <= n
    assert abs(x.mean() - mean) < 4.0 * math.sqrt(variance / N)
    assert abs(x.var() - variance) < 4.0 * variance * math.sqrt((kurtosis + 2.0) / N) + 1e-12
    assert binomial_p_value(x, n, p) > P_MIN
    wrong = p + 0.02 * math.sqrt(p * (1.0 - p) / n)  # a fiftieth of a standard deviation of one draw
    assert binomial_p_value(x, n, wrong) < P_MIN


def test_binomial_at_its_edges():
    assert (sample("binomial", 50, 0, 0.5) == 0).all()
    assert (sample("binomial", 50, 10, 0.0) == 0).all()
    assert (sample("binomial", 50, 10, 1.0) == 10).all()
    for p in (1e-17, 1e-19, 1e-30, 1e-300, 1e-320):  # waiting times beyond 2^63
        assert (sample("binomial", 2000, 10**6, p) == 0).all()
        assert (sample("binomial", 2000, 10**6, 1.0 - p) == 10**6).all()


def test_categorical_has_its_frequencies():
    pi = np.array([0.1, 0.0, 0.25, 0.65])
    state = rng.stream(2, 0, 0)
    counts = np.bincount([rng.categorical(state, pi) for _ in range(40_000)], minlength=4)
    assert counts[1] == 0
    seen = [0, 2, 3]
    assert stats.chisquare(counts[seen], 40_000 * pi[seen]).pvalue > P_MIN
    assert stats.chisquare(counts[seen], 40_000 * np.array([0.11, 0.25, 0.64])).pvalue < P_MIN


def test_categorical_never_draws_what_has_probability_zero():
    smallest, largest = state_giving(0), state_giving(MASK)
    for pi in ([0.0, 0.3, 0.0, 0.7, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5 - 4e-10, 0.5 - 4e-10, 0.0]):
        pi = np.array(pi)
        positive = np.flatnonzero(pi)
        assert rng.categorical(smallest.copy(), pi) == positive[0]
        assert rng.categorical(largest.copy(), pi) == positive[-1]
    tenths = np.append(np.full(10, 0.1), 0.0)  # ten tenths are less than one in floating point
    assert rng.categorical(largest.copy(), tenths) == 9


def test_categorical_from_logs_by_hand():
    smallest, largest = state_giving(0), state_giving(MASK)
    log_weight, weight = np.array([-math.inf, 700.0, 900.0, 900.0 + math.log(3.0), -math.inf]), np.zeros(5)
    assert rng.categorical_from_logs(largest.copy(), log_weight, weight) == 3
    assert weight == pytest.approx([0.0, 0.0, 1.0 / 3.0, 1.0, 0.0], rel=1e-13, abs=1e-80)
    assert log_weight == pytest.approx([-math.inf, -200.0 - math.log(3.0), -math.log(3.0), 0.0, -math.inf], rel=1e-13)
    assert rng.categorical_from_logs(smallest.copy(), log_weight, weight) == 1
    half = state_giving(1 << 63)  # u = 1/2 of a total of 4/3: beyond the first third
    assert rng.categorical_from_logs(half, log_weight, weight) == 3


def test_categorical_from_logs_has_its_frequencies():
    pi, state, weight = np.array([0.1, 0.25, 0.65]), rng.stream(2, 0, 0), np.zeros(3)
    log_weight = np.log(pi) - 2000.0
    counts = np.bincount([rng.categorical_from_logs(state, log_weight, weight) for _ in range(20_000)])
    assert stats.chisquare(counts, 20_000 * pi).pvalue > P_MIN
    assert stats.chisquare(counts, 20_000 * np.array([0.12, 0.25, 0.63])).pvalue < P_MIN


@jit
def fill_multinomial(state, n, p, out):
    for row in range(out.shape[0]):
        rng.multinomial(state, n, p, out[row])


def multinomials(draws, n, p, seed=1):
    out = np.full((draws, len(p)), -1.0)
    fill_multinomial(rng.stream(seed, rng.DATA, 0), n, np.array(p, dtype=np.float64), out)
    return out


def test_multinomial_has_the_law_of_independent_draws():
    """All outcomes of three draws over four values, chi^2; a law slightly off fails."""
    p, draws = np.array([0.2, 0.0, 0.5, 0.3]), 40_000
    x = multinomials(draws, 3, p)
    cells = [c for c in itertools.product(range(4), repeat=4) if sum(c) == 3 and c[1] == 0]
    counts = [(x == np.array(c)).all(axis=1).sum() for c in cells]
    assert sum(counts) == draws
    seen = [0, 2, 3]
    law = [stats.multinomial.pmf(np.array(c)[seen], 3, p[seen]) for c in cells]
    assert stats.chisquare(counts, draws * np.array(law)).pvalue > P_MIN
    wrong = [stats.multinomial.pmf(np.array(c)[seen], 3, [0.21, 0.5, 0.29]) for c in cells]
    assert stats.chisquare(counts, draws * np.array(wrong)).pvalue < P_MIN


def test_multinomial_of_huge_n_has_its_means_and_covariances():
    """Within five standard errors: n = 10^9, K = 5."""
    p, draws, n = np.array([0.4, 1e-3, 0.25, 1e-6, 0.349 - 1e-6]), 20_000, 10**9
    x = multinomials(draws, n, p)
    cov = n * (np.diag(p) - np.outer(p, p))
    assert (x.sum(axis=1) == n).all() and (x == np.floor(x)).all() and x.min() >= 0.0
    assert (np.abs(x.mean(axis=0) - n * p) < 5.0 * np.sqrt(np.diag(cov) / draws)).all()
    y = x - n * p
    error = np.sqrt((np.outer(np.diag(cov), np.diag(cov)) + cov * cov) / draws)
    found = y.T @ y / draws
    assert (np.abs(found - cov) < 5.0 * error).all()
    assert np.abs((found - np.diag(np.diag(cov))) / error).max() > 20.0  # control: independent entries


def test_multinomial_never_counts_what_has_probability_zero():
    tenths = [0.1] * 10 + [0.0, 0.0]  # less than one in floating point
    thirds = [0.0, 1.0 / 3.0, 1.0 / 3.0, 0.0, 1.0 / 3.0 + 4e-10, 0.0]  # more than one
    for p in (tenths, thirds, [0.0, 1.0, 0.0], [1.0], [1.0 - 1e-16, 1e-16, 0.0], [1e-300, 1.0, 1e-300]):
        for n in (0, 1, 7, 10**6, 10**14):
            x = multinomials(200, n, p)
            assert (x.sum(axis=1) == n).all() and x.min() >= 0.0
            assert (x[:, np.array(p) == 0.0] == 0.0).all()


# Streams


def dependence(state_of):
    """Largest of several statistics of neighbouring streams, each in standard errors."""
    n, draws = 128, 2048
    streams = [state_of(i) for i in range(n)]
    x = np.zeros((n, draws))
    for row, state in zip(x, streams, strict=True):
        fill(0, state, 0.0, 0.0, row)
    correlation = np.corrcoef(x) - np.eye(n)
    first = x[:, 0]
    bits = (np.floor(first * 2.0**20).astype(np.int64)[:, None] >> np.arange(20)) & 1
    return max(
        np.abs(correlation).max() * math.sqrt(draws),
        abs(first.mean() - 0.5) * math.sqrt(12.0 * n),
        np.abs(bits.mean(axis=0) - 0.5).max() * 2.0 * math.sqrt(n),
        abs(np.corrcoef(first[1:], first[:-1])[0, 1]) * math.sqrt(n),
    )


def test_neighbouring_streams_are_independent():
    # The largest of 8128 correlations and 22 further statistics exceeds six standard errors once in 60,000.
    assert dependence(lambda i: rng.stream(0, rng.ENVIRONMENT, i)) < 6.0
    assert dependence(lambda i: rng.stream(i, rng.LEARNER, 3)) < 6.0
    assert dependence(lambda i: rng.stream(i // 2, i % 2, 0)) < 6.0
    # Control: the three integers as the state itself.
    assert dependence(lambda i: np.array([i, 1, 2, 3], dtype=np.uint64)) > 6.0


def test_streams_are_distinct_and_fresh():
    keys = itertools.product(range(60), (rng.ENVIRONMENT, rng.LEARNER), range(60))
    assert len({rng.stream(*key).tobytes() for key in keys}) == 60 * 2 * 60
    a, b = rng.stream(1, 0, 2), rng.stream(1, 0, 2)
    rng.bits(a)
    assert not np.shares_memory(a, b) and (a != b).any()


def test_same_bits_without_the_compiler(python):
    uncompiled, err = python("import json, test_rng; print(json.dumps(test_rng.fingerprint()))", NUMBA_DISABLE_JIT=1)
    assert uncompiled == fingerprint()
    assert "overflow" not in err
