"""Checks: what is welcome, what comes back, and one line for everything else."""

import math

import numpy as np
import pytest

from banditlab import checks

nan, inf = math.nan, math.inf


def refused(call, kind, *words):
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_number_returns_a_float():
    for value in (1, 1.0, np.float32(1.0), np.int64(1), True):
        x = checks.number("x", value, 0.0)
        assert x == 1.0 and type(x) is float
    assert checks.number("x", inf, 0.0) == inf
    assert checks.number("x", 0, 0.0, 1.0) == 0.0
    assert checks.number("x", 1, 0.0, 1.0, closed=False) == 1.0


def test_number_names_the_field_the_value_and_what_is_allowed():
    refused(lambda: checks.number("eta", -1, 0.0), ValueError, "eta", "-1", "[0, inf]")
    refused(lambda: checks.number("eta", 0.0, 0.0, closed=False), ValueError, "eta", "0", "(0, inf]")
    refused(lambda: checks.number("delta", 1.5, 0.0, 1.0), ValueError, "delta", "1.5", "[0, 1]")
    refused(lambda: checks.number("eta", nan, 0.0), ValueError, "eta", "nan")
    refused(lambda: checks.number("eta", None, 0.0), TypeError, "eta", "None")
    refused(lambda: checks.number("eta", "two", 0.0), TypeError, "eta", "'two'")
    refused(lambda: checks.number("eta", [1.0, 2.0], 0.0), TypeError, "eta")
    refused(lambda: checks.number("eta", 1j, 0.0), TypeError, "eta", "1j")


def test_a_number_just_outside_is_told_from_the_bound():
    refused(lambda: checks.number("delta", 1.0 + 1e-9, 0.0, 1.0), ValueError, "1.000000001")
    refused(lambda: checks.vector("mean", [0.5, 1.0 + 1e-9], low=0.0, high=1.0), ValueError, "1.000000001")


def test_a_number_too_large_for_a_float_is_refused_in_one_line():
    refused(lambda: checks.number("eta", 10**400, 0.0), (TypeError, ValueError), "eta")


def test_finite_refuses_infinity():
    assert checks.finite("x", 3, 0.0) == 3.0
    refused(lambda: checks.finite("x", inf, 0.0), ValueError, "x", "inf")
    refused(lambda: checks.finite("x", nan, 0.0), ValueError, "x", "nan")
    refused(lambda: checks.finite("x", -inf, -inf), ValueError, "x", "inf")


def test_integer_welcomes_integral_floats():
    for value in (100_000, 1e5, np.int32(100_000), np.float64(1e5)):
        n = checks.integer("rounds", value, 1)
        assert n == 100_000 and type(n) is int


def test_integer_refuses_what_is_none():
    for value in (2.5, nan, inf, "7", None, True, [3]):
        refused(lambda value=value: checks.integer("rounds", value, 1), TypeError, "rounds", repr(value))
    refused(lambda: checks.integer("rounds", 0, 1), ValueError, "rounds", "0", "at least 1")
    refused(lambda: checks.integer("rounds", -3, 1), ValueError, "rounds", "-3", "at least 1")


def test_vector_is_fresh_contiguous_and_writable():
    source = np.arange(6.0)[::2]
    source.flags.writeable = False
    x = checks.vector("mean", source)
    np.testing.assert_array_equal(x, [0.0, 2.0, 4.0])
    assert x.flags.c_contiguous and x.flags.writeable and not np.shares_memory(x, source)
    for value in ((1, 2), range(1, 3), np.array([1, 2], dtype=np.int8)):
        x = checks.vector("mean", value)
        assert x.dtype == np.float64 and x.tolist() == [1.0, 2.0]


def test_vector_names_the_first_bad_entry():
    refused(lambda: checks.vector("mean", [0.1, 1.5, -2.0], low=0.0, high=1.0), ValueError, "mean[1]", "1.5", "[0, 1]")
    refused(lambda: checks.vector("mean", [0.1, nan]), ValueError, "mean[1]", "nan", "finite")
    refused(lambda: checks.vector("mean", [inf]), ValueError, "mean[0]", "inf")
    refused(lambda: checks.vector("mean", []), ValueError, "mean", "(0,)")
    refused(lambda: checks.vector("mean", np.zeros((2, 2))), ValueError, "mean", "(2, 2)")
    refused(lambda: checks.vector("mean", [1.0, 2.0], size=3), ValueError, "mean", "3", "2")
    refused(lambda: checks.vector("mean", ["a"]), TypeError, "mean")
    refused(lambda: checks.vector("mean", [[1.0], [1.0, 2.0]]), TypeError, "mean")
    refused(lambda: checks.vector("mean", None), (TypeError, ValueError), "mean")


def test_distribution_is_normalised_to_rounding():
    p = checks.distribution("reference", [0.25, 0.75 + 5e-10], 2)
    assert abs(p.sum() - 1.0) < 1e-15 and p.dtype == np.float64
    np.testing.assert_array_equal(checks.distribution("reference", [1], 1), [1.0])


def test_distribution_refuses_what_is_none():
    check = checks.distribution
    refused(lambda: check("reference", [0.5, 0.5 + 2e-9], 2), ValueError, "reference", "1.000000002", "1")
    refused(lambda: check("reference", [1.0, 0.0], 2), ValueError, "reference[1]", "0")
    refused(lambda: check("reference", [1.5, -0.5], 2), ValueError, "reference[1]", "-0.5")
    refused(lambda: check("reference", [0.5, 0.5], 3), ValueError, "reference", "3", "2")
    refused(lambda: check("reference", [nan, 0.5], 2), ValueError, "reference[0]", "nan")


def test_known_suggests_the_nearest():
    names = {"kl_ucb", "kl_greedy", "ucb1"}
    assert checks.known("algorithm", "ucb1", names) == "ucb1"
    refused(lambda: checks.known("algorithm", "kl_ubc", names), ValueError, "algorithm", "'kl_ubc'", "mean kl_ucb")
    refused(lambda: checks.known("algorithm", "zzz", names), ValueError, "known: kl_greedy, kl_ucb, ucb1")
    refused(lambda: checks.known("algorithm", 7, names), ValueError, "algorithm", "7", "known")
