"""Results: tables, bounds found through partial, exact round trips."""

import functools
import json

import numpy as np
import pytest

import banditlab as bl

PROBLEM = bl.bandits.bandit([0.3, 0.45, 0.5, 0.55, 0.7], eta=5.0)
ALGORITHMS = {"theory": functools.partial(bl.bandits.kl_ucb, scale=1.0), "practice": bl.bandits.kl_ucb}


@pytest.fixture(scope="module")
def result():
    return bl.run(PROBLEM, ALGORITHMS, rounds=500, replications=3, seed=1)


def test_the_table_has_a_row_per_algorithm_replication_and_checkpoint(result):
    table = result.frame()
    assert len(table) == 2 * 3 * result.checkpoints.size
    row = table.query("algorithm == 'practice' and replication == 2 and round == 64")
    assert row["regret"].item() == result.regret["practice"][2, result.checkpoints.tolist().index(64)]


def test_the_bound_is_found_through_partial_with_its_parameters(result):
    expected = bl.bandits.kl_ucb.bound(PROBLEM, 500, result.checkpoints, scale=1.0)
    np.testing.assert_array_equal(result.bounds["theory"], expected)


def test_saving_and_loading_is_exact(result, tmp_path):
    again = bl.load(result.save(tmp_path / "r"))
    assert isinstance(again, bl.Trajectory)
    for name in ALGORITHMS:
        for channel, x in result.channels[name].items():
            assert again.channels[name][channel].tobytes() == x.tobytes()
    assert again.checkpoints.tolist() == result.checkpoints.tolist()
    assert type(again.problem) is type(PROBLEM)
    for a, b in zip(again.problem, PROBLEM, strict=True):
        np.testing.assert_array_equal(a, b)
    assert {k: v.tolist() for k, v in again.bounds.items()} == {k: v.tolist() for k, v in result.bounds.items()}
    assert again.frame().equals(result.frame())


def test_the_table_has_the_same_bytes_each_time(result, tmp_path):
    a, b = result.save(tmp_path / "a"), result.save(tmp_path / "b")
    assert (a / "table.parquet").read_bytes() == (b / "table.parquet").read_bytes()


def test_the_manifest_tells_how_to_reproduce(result, tmp_path):
    manifest = json.loads((result.save(tmp_path) / "manifest.json").read_text())
    assert manifest["seed"] == 1 and manifest["rounds"] == 500 and manifest["replications"] == [0, 3]
    assert manifest["algorithms"]["theory"]["parameters"] == {"scale": 1.0}
    assert manifest["algorithms"]["theory"]["algorithm"].endswith("kl_ucb")
    assert {"python", "numpy", "numba", "sources"} <= set(manifest["versions"])
    assert manifest["wall_seconds"] > 0 and manifest["rounds_per_second"] > 0


def test_a_grid_round_trips(tmp_path):
    grid = bl.sweep(
        lambda eta: bl.bandits.bandit([0.4, 0.6], eta=eta),
        {"a": bl.bandits.kl_ucb},
        over={"eta": [1.0, 2.0]},
        rounds=50,
        replications=2,
    )
    again = bl.load(grid.save(tmp_path))
    assert isinstance(again, bl.Grid) and again.frame().equals(grid.frame()) and again.axes == grid.axes


def test_loading_what_is_no_result_is_a_one_line_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no saved result"):
        bl.load(tmp_path)


def test_rates_name_a_law_per_algorithm():
    frozen = functools.partial(bl.bandits.kl_explore_then_commit, exploration=1 << 14)
    algorithms = {"greedy": bl.bandits.kl_greedy, "frozen": frozen}
    table = bl.run(bl.bandits.textbook(eta=1.0), algorithms, rounds=1 << 14, replications=48).rates()
    assert table["algorithm"].tolist() == ["greedy", "frozen"]
    assert table["law"].tolist() == ["log", "linear"]


def test_numpy_axes_and_crossovers_that_depend_on_k_survive_saving(tmp_path):
    grid = bl.sweep(
        lambda K, rounds: bl.bandits.hard_minimax(K, rounds, eta=1.0),
        {"a": bl.bandits.kl_ucb},
        over={"K": np.array([4, 8]), "rounds": 2 ** np.arange(6, 8)},
        replications=2,
    )
    again = bl.load(grid.save(tmp_path))
    assert again.axes == {"K": [4, 8], "rounds": [64, 128]}
    assert again.manifest["crossovers"] == {}  # they differ between the values of K


def test_it_tells_what_it_is(result):
    assert "bernoulli bandit, K = 5, eta = 5; 500 rounds, 3 replications" in repr(result)


# Offline results


@pytest.fixture(scope="module")
def offline():
    problem = bl.contextual.tabular([[0.3, 0.5], [0.6, 0.4]], eta=5.0, regularizer="chi2", behaviour=[0.5, 0.5])
    fits = {"plug-in": bl.contextual.plug_in, "pessimistic": functools.partial(bl.contextual.f_pcb, scale=0.3)}
    return bl.run_offline(problem, fits, samples=[256, 1024, 4096], replications=50, seed=1)


def test_the_offline_table_has_a_row_per_algorithm_replication_and_sample_size(offline):
    table = offline.frame()
    assert len(table) == 2 * 50 * 3
    row = table.query("algorithm == 'pessimistic' and replication == 2 and samples == 1024")
    assert row["gap"].item() == offline.gap["pessimistic"][2, 1]


def test_saving_and_loading_an_offline_result_is_exact(offline, tmp_path):
    again = bl.load(offline.save(tmp_path / "r"))
    assert isinstance(again, bl.Offline) and type(again.problem) is type(offline.problem)
    assert again.frame().equals(offline.frame()) and again.samples.tolist() == [256, 1024, 4096]
    for a, b in zip(again.problem, offline.problem, strict=True):
        np.testing.assert_array_equal(a, b)
    for kind in ("bounds", "laws"):
        assert getattr(again, kind).keys() == getattr(offline, kind).keys()
        for name, curve in getattr(offline, kind).items():
            np.testing.assert_array_equal(getattr(again, kind)[name], curve)
    assert again.lower is None and "plug-in" in again.laws


def test_the_manifest_is_json_where_a_curve_is_not_finite(tmp_path):
    fits = {"KL-PCB": functools.partial(bl.contextual.kl_pcb, scale=1.0)}
    for behaviour in ([0.5, 0.5], [1.0, 0.0]):
        problem = bl.contextual.tabular([[0.3, 0.5]], eta=5.0, behaviour=behaviour)
        result = bl.run_offline(problem, fits, samples=[2, 4096], replications=2)
        folder = result.save(tmp_path / str(behaviour))
        strict = {"parse_constant": lambda name: pytest.fail(name)}
        assert json.loads((folder / "manifest.json").read_text(), **strict)["kind"] == "offline"
        for kind in ("bounds", "laws"):
            for name, curve in getattr(result, kind).items():
                np.testing.assert_array_equal(getattr(bl.load(folder), kind)[name], curve)


def test_offline_rates_give_the_exponent_and_the_constant(offline):
    table = offline.rates().set_index("algorithm")
    row = table.loc["plug-in"]
    assert row["exponent_low"] < -1.0 < row["exponent_high"] and row["exponent_high"] < -0.5
    assert abs(row["n_gap"] - 4096 * offline.laws["plug-in"][-1]) < 4.0 * row["n_gap_se"]


def test_an_offline_result_tells_what_it_is(offline):
    text = (
        "Offline(bernoulli contextual bandit, S = 2, K = 2, eta = 5, chi2; n to 4096, 50 replications; mean gap: plug"
    )
    assert repr(offline).startswith(text)
