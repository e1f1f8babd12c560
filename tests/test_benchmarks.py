"""The benchmark's implementations play the same rules: by hand, and by their exact regret."""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
ABSENT = Path("no folder of yardsticks")

if not (FOLDER / "run.py").exists():
    pytest.skip("benchmarks/ belongs to the checkout", allow_module_level=True)


@pytest.fixture(scope="module")
def benchmark_run():
    """benchmarks/run.py as a module."""
    spec = importlib.util.spec_from_file_location("benchmark_run", FOLDER / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def loops(benchmark_run, tmp_path_factory):
    """The project's C++ loops."""
    if benchmark_run.compiler() is None:
        pytest.skip("no C++ compiler on the path")
    binary = benchmark_run.build(FOLDER / "loops.cpp", tmp_path_factory.mktemp("build") / "loops")
    assert binary is not None
    return binary


def first_gap(policy, mean):
    """J* - J(pi) at eta = 5 from its definition."""
    reference = np.full(mean.size, 1.0 / mean.size)
    value = math.log(reference @ np.exp(5.0 * mean)) / 5.0
    return value - (policy @ mean - policy @ np.log(policy / reference) / 5.0)


def test_the_first_round_of_every_implementation_by_hand(benchmark_run, loops):
    mean = np.array([0.1, 0.5, 0.9])
    uniform = np.full(3, 1.0 / 3.0)  # no arm seen: every index is 1, or every draw
    for rule in ("kl_ucb", "kl_thompson"):
        found = [
            benchmark_run.compiled(rule, 3, 1, 0)[1],
            benchmark_run.plain_numpy(rule, 3, 1, 0)[1],
            benchmark_run.cpp(loops, rule, 3, 1, 1, 0)["regret"][0],
        ]
        np.testing.assert_allclose(found, first_gap(uniform, mean), rtol=1e-12)


def test_forced_pulls_cost_the_sum_of_the_gaps(benchmark_run, loops):
    for rule in ("ucb1", "kl_index_ucb"):
        found = [
            benchmark_run.compiled(rule, 3, 3, 0)[1],
            benchmark_run.cpp(loops, rule, 3, 3, 1, 0)["regret"][0],
        ]
        np.testing.assert_allclose(found, 0.8 + 0.4 + 0.0, rtol=1e-12)
    np.testing.assert_allclose(benchmark_run.plain_numpy("ucb1", 3, 3, 0)[1], 1.2, rtol=1e-12)


def test_both_cpp_forms_of_kl_ucb_play_the_same_policies(benchmark_run, loops):
    full, incremental = (
        benchmark_run.cpp(loops, rule, 10, 500, 3, 1)["regret"] for rule in ("kl_ucb", "kl_ucb_incremental")
    )
    np.testing.assert_allclose(full, incremental, rtol=1e-12)
    assert np.ptp(full) > 0.0  # replications differ


def test_every_implementation_has_the_same_regret(benchmark_run, loops):
    """Fixed seeds; all pairs within four standard errors, at 80 replications of 500 rounds."""
    for rule in benchmark_run.CONSTRUCTORS:
        found = benchmark_run.regrets(rule, 10, 500, 80, loops, None)
        assert set(found) >= {"banditlab", "C++"}
        means = list(found.values())
        for i, one in enumerate(means):
            for other in means[:i]:
                assert abs(benchmark_run.deviation(one, other)) < benchmark_run.MARGIN, (rule, found)


def test_the_linear_rule_plays_the_pool_of_the_yardstick(benchmark_run, tmp_path):
    """Fixed seeds; 40 replications of 500 rounds within four standard errors, and thrice the bonus beyond them."""
    source = FOLDER.parents[1] / "shared" / "bench" / "loops.cpp"
    if benchmark_run.compiler() is None or not source.exists():
        pytest.skip("no yardstick beside the checkout, or no C++ compiler on the path")
    yardstick = benchmark_run.build(source, tmp_path / "yardstick")
    found = benchmark_run.regrets("kl_lin_ucb", 20, 500, 40, None, yardstick)
    assert abs(benchmark_run.deviation(found["banditlab"], found["yardstick"])) < benchmark_run.MARGIN
    problem, parameters = benchmark_run.pool(20), benchmark_run.linear_parameters("kl_lin_ucb", 500, 20)
    thrice = {"scale": 3.0 * parameters["scale"]}
    constructor = benchmark_run.LINEAR["kl_lin_ucb"]
    other = benchmark_run.summary(
        [benchmark_run.played("kl_lin_ucb", problem, constructor, thrice, 500, i)[1] for i in range(40)]
    )
    assert abs(benchmark_run.deviation(other, found["yardstick"])) > benchmark_run.MARGIN


def test_the_comparison_of_regrets_can_fail(benchmark_run, loops):
    """Control: half the bonus (scale 1/2 in place of 1) is told apart at the same size."""
    problem = benchmark_run.instance("kl_ucb", 10)
    regret = []
    for i in range(80):
        learner = benchmark_run.CONSTRUCTORS["kl_ucb"](problem, 500, scale=0.5, level=math.log(500))
        regret.append(problem.play(learner, np.array([500]), 0, i, np.zeros(2, np.int64))[2]["regret"][0])
    other = benchmark_run.summary(benchmark_run.cpp(loops, "kl_ucb", 10, 500, 80, 0)["regret"])
    assert abs(benchmark_run.deviation(benchmark_run.summary(regret), other)) > benchmark_run.MARGIN


def test_deviation_by_hand(benchmark_run):
    assert benchmark_run.summary([1.0, 2.0, 3.0]) == (2.0, pytest.approx(1.0 / math.sqrt(3.0), rel=1e-15))
    assert benchmark_run.deviation((7.0, 0.3), (5.0, 0.4)) == pytest.approx(4.0, rel=1e-15)


def test_targets_are_met_or_missed_by_the_ratio_of_least_times(benchmark_run):
    cells = [
        benchmark_run.Cell("kl_ucb", 10, 100, "banditlab", [90.0, 60.0, 70.0]),
        benchmark_run.Cell("kl_ucb", 10, 100, "C++ kl_ucb", [100.0, 100.0, 200.0]),
        benchmark_run.Cell("kl_ucb", 10, 100, "C++ kl_ucb_incremental", [40.0, 50.0, 60.0]),
    ]
    full, incremental = benchmark_run.targets(cells, shared=False)
    assert (full["measured"], full["median"], full["met"]) == (0.6, 0.7, True)
    assert (incremental["measured"], incremental["median"], incremental["met"]) == (1.5, 1.4, False)


@pytest.mark.slow
def test_a_quick_run_prints_and_saves_every_table(benchmark_run, loops, tmp_path, capsys):
    saved = tmp_path / "results" / "benchmark.json"
    assert benchmark_run.main(["--quick", "--against", str(ABSENT), "--save", str(saved)]) == 0
    printed = capsys.readouterr().out
    record = json.loads(saved.read_text())
    assert str(saved) in printed
    assert {c["implementation"] for c in record["times"]} == {
        "banditlab",
        "NumPy",
        *(f"C++ {rule}" for rule in [*benchmark_run.CONSTRUCTORS, "kl_ucb_incremental"]),
    }
    assert all(t > 0.0 for c in record["times"] for t in c["ns"])
    assert {row["what"] for row in record["targets"]} >= {
        "kl_ucb, K = 10, over kl_ucb_incremental",
        "ucb1, K = 10, over ucb1",
    }
    assert len(record["memory"]) == 2


@pytest.mark.slow
def test_without_a_compiler_it_says_what_is_missing(benchmark_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(benchmark_run.shutil, "which", lambda name: None)
    saved = tmp_path / "benchmark.json"
    assert benchmark_run.main(["--quick", "--against", str(ABSENT), "--save", str(saved)]) == 0
    assert "No C++ compiler" in capsys.readouterr().out
    assert {c["implementation"] for c in json.loads(saved.read_text())["times"]} == {"banditlab", "NumPy"}
