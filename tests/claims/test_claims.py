"""Claims: their rules by hand, the runner, and every claim at its quick budget with its control refuted."""

import json
import math

import numpy as np
import pytest

import banditlab as bl
from banditlab import claims, figures, simulate
from banditlab.bandits.kl_explore_then_commit import kl_explore_then_commit
from banditlab.bandits.kl_ucb import kl_ucb

FOUND = claims.find()
PROMISED = {
    "logarithmic_regret",
    "anytime_log_squared",
    "linear_in_arms",
    "linear_in_eta_then_flat",
    "sqrt_when_weakly_regularized",
    "bound_holds",
    "greedy_law",
    "thompson_twice_greedy",
    "explore_then_commit_sqrt",
    "index_ucb_lai_robbins",
}


def number(value, se):
    return claims.Estimate(value, se, value - 2.0 * se, value + 2.0 * se)


# Rules


@pytest.mark.parametrize(
    ("value", "se", "verdict"),
    [
        (1.0, 0.07, "supported"),
        (1.0, 0.08, "inconclusive"),  # 1 + 2 * 0.08 > 1.15
        (1.2, 0.01, "refuted"),  # 1.2 - 4 * 0.01 > 1.15
        (1.2, 0.02, "inconclusive"),
        (0.8, 0.01, "refuted"),
        (0.9, 0.02, "supported"),
        (1.15, 0.0, "supported"),
        (1.16, 0.0, "refuted"),
        (math.nan, math.nan, "inconclusive"),
    ],
)
def test_inside_takes_two_standard_errors_to_support_and_four_to_refute(value, se, verdict):
    assert claims.inside(number(value, se), 0.85, 1.15) == verdict


def test_a_conjunction_is_refuted_by_one_part_and_supported_by_all():
    s, r, i = claims.SUPPORTED, claims.REFUTED, claims.INCONCLUSIVE
    assert claims.every(s, s) == s
    assert claims.every(s, i, r) == r
    assert claims.every(s, i) == i


@pytest.mark.parametrize(("law", "margin", "verdict"), [("log", 0.0, "supported"), ("sqrt", 9.9, "inconclusive")])
def test_a_law_is_refuted_only_by_a_decisive_margin(law, margin, verdict):
    found = {"law": law, "AICc of log above the best": claims.fact(margin)}
    assert claims.follows(found, "log") == verdict
    decisive = {"law": "sqrt", "AICc of log above the best": claims.fact(10.1)}
    assert claims.follows(decisive, "log") == "refuted"


def test_estimate_is_the_function_of_the_means_with_the_delta_method_error():
    """Ratio of means 3 and 2, n = 400: se = sqrt(1/4 + 9/16) / 20 = 0.0451; 500 draws know it to 3.2 % (margin 4)."""
    rng = np.random.default_rng(1)
    up, down = rng.normal(size=400), rng.normal(size=400)
    up, down = 3.0 + (up - up.mean()) / up.std(), 2.0 + (down - down.mean()) / down.std()
    ratio = claims.estimate(lambda a, b: a / b, up, down)
    assert ratio.value == pytest.approx(1.5, rel=1e-12)
    assert ratio.se == pytest.approx(math.sqrt(0.25 + 9.0 / 16.0) / 20.0, rel=4 * 0.032 + 0.01)
    assert ratio.low < 1.5 < ratio.high
    assert claims.estimate(lambda a, b: a / b, up, down) == ratio
    paired = claims.estimate(lambda m: m[0] / m[1], np.stack([up, up / 2.0], axis=1))
    assert paired.se == pytest.approx(0.0, abs=1e-12)  # control: rows are resampled whole


# Studies


def test_points_of_a_study_are_independent_and_reproduce_run():
    budget = claims.Budget(seed=3)
    study = budget.run(
        lambda K, rounds: bl.bandits.bandit(np.linspace(0.3, 0.7, K), eta=float(rounds)),
        {"a": kl_ucb},
        over={"K": [2, 3], "rounds": [8, 16]},
        replications=4,
    )
    assert list(study) == [(2, 8), (2, 16), (3, 8), (3, 16)]
    assert [study[p].replications for p in study] == [range(i, i + 4) for i in (0, 4, 8, 12)]
    last = study[3, 16]
    assert last.checkpoints.tolist() == [1, 2, 4, 8, 16]
    again = bl.run(last.problem, {"a": kl_ucb}, rounds=16, replications=range(12, 16), seed=3)
    np.testing.assert_array_equal(last.regret["a"], again.regret["a"])
    assert last.problem.eta == 16.0


def test_grid_shows_final_regret_or_the_gain_over_octaves():
    study = claims.Budget().run(
        lambda K: bl.bandits.bandit(np.full(K, 0.5), eta=1.0),
        {"a": kl_ucb},
        over={"K": [2, 4]},
        rounds=16,
        replications=3,
    )
    final = claims.grid(study, ["K"], "two arms")
    gain = claims.grid(study, ["K"], "two arms", "gained", 2)
    regret = study[4,].regret["a"]
    assert final.axes == {"K": [2, 4]}
    np.testing.assert_array_equal(final.table.query("K == 4")["regret"], regret[:, -1])
    np.testing.assert_array_equal(gain.table.query("K == 4")["gained"], regret[:, -1] - regret[:, 2])


# The runner, with a claim that takes milliseconds: KL-UCB beats the reference policy


def toy(**changed):
    def study(budget, algorithm=kl_ucb):
        return budget.run(
            lambda: bl.bandits.bandit([0.2, 0.8], eta=5.0), {"a": algorithm}, over={}, rounds=256, replications=8
        )

    def frozen(problem, rounds):
        return kl_explore_then_commit(problem, rounds, exploration=rounds)

    def measure(result):
        run = result[()]
        regret = run.regret["a"][:, -1] / (256.0 * run.regret["a"][:, 0].mean())
        return {"regret over the reference's": claims.estimate(float, regret)}

    parts = {
        "statement": "KL-UCB beats its reference.",
        "latex": r"\mathrm{Reg}(T) < T",
        "source": "folklore",
        "predicted": "below 1/2",
        "study": study,
        "measure": measure,
        "verdict": lambda found: claims.inside(found["regret over the reference's"], 0.0, 0.5),
        "control": lambda budget: study(budget, frozen),
        "wrong": "the reference itself",
        "figure": lambda result: figures.regret(result[()]),
        "id": "toy",
        "rule": "In [0, 1/2].",
    }
    return claims.Claim(**{**parts, **changed})


@pytest.fixture
def with_toys(monkeypatch):
    def install(*toys):
        monkeypatch.setattr(claims, "find", lambda: {c.id: c for c in toys})

    return install


def test_the_runner_reports_prints_and_reuses_its_store(tmp_path, with_toys, capsys, monkeypatch):
    with_toys(toy(), toy(id="heavy", quick=False))
    words = [f"store={tmp_path / 'store'}", f"results={tmp_path / 'out'}"]
    assert claims.main(words) == 0
    told = capsys.readouterr()
    assert "supported" in told.out and "refuted" in told.out and "full budget only" in told.out
    assert str(tmp_path / "out" / "CLAIMS.md") in told.out
    assert "[1/2] toy" in told.err
    report = json.loads((tmp_path / "out" / "claims.json").read_text())
    (entry,) = report["claims"]
    assert (entry["id"], entry["verdict"], entry["control"]["verdict"]) == ("toy", "supported", "refuted")
    assert set(entry["measured"]["regret over the reference's"]) == {"value", "se", "low", "high"}
    assert report["full budget only"] == ["heavy"]
    page = (tmp_path / "out" / "CLAIMS.md").read_text()
    assert "KL-UCB beats its reference." in page and r"$$ \mathrm{Reg}(T) < T $$" in page and "In [0, 1/2]." in page
    assert all((tmp_path / "out" / f"toy.{end}").is_file() for end in ("pdf", "svg", "png"))

    monkeypatch.setattr(simulate, "play_shard", lambda shard, control: pytest.fail("simulated again"))
    assert claims.main([*words, "toy"]) == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"control": toy().study},  # a control that the claim survives
        {"verdict": lambda found: claims.INCONCLUSIVE},
        {"verdict": lambda found: claims.REFUTED},
        {"verdict": lambda found: claims.SUPPORTED},
    ],
)
def test_the_runner_fails_where_a_verdict_or_a_control_does(broken, tmp_path, with_toys, capsys):
    with_toys(toy(**broken))
    assert claims.main([f"store={tmp_path / 'store'}", f"results={tmp_path / 'out'}"]) == 1
    assert (tmp_path / "out" / "claims.json").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tyo"], "'tyo' is unknown; did you mean toy?"),
        (["--ful"], "did you mean --full?"),
        (["stroe=x"], "did you mean store?"),
    ],
)
def test_bad_words_are_refused_in_one_line_and_nothing_is_written(
    words, message, tmp_path, with_toys, capsys, monkeypatch
):
    with_toys(toy())
    monkeypatch.chdir(tmp_path)
    assert claims.main(words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_results_folder_that_cannot_be_made_is_refused_before_simulating(tmp_path, with_toys, capsys, monkeypatch):
    with_toys(toy())
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(simulate, "play_shard", lambda shard, control: pytest.fail("simulated"))
    assert claims.main([f"results={tmp_path / 'file' / 'out'}", f"store={tmp_path / 'store'}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# The claims


def test_every_promised_claim_is_found():
    assert PROMISED <= set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_a_claim_states_theorem_source_and_rule(name):
    c = FOUND[name]
    assert c.statement.endswith(".") and "\n" not in c.statement
    assert c.latex.count("{") == c.latex.count("}") and c.latex.count("$") == 0
    assert "arXiv:" in c.source and c.predicted and c.wrong
    assert len(c.rule.splitlines()) > 2


# The parts of a rule that refute its control by themselves: the number, and the range in which it must lie
REFUTING = {
    "anytime_log_squared": [("coefficient of log² T over the law", 0.5, 1.5)],
    "linear_in_eta_then_flat": [("exponent in eta, below", 0.85, 1.15), ("exponent in eta, above", -0.15, 0.15)],
    "sqrt_when_weakly_regularized": [("exponent in T", 0.43, 0.57)],
    "explore_then_commit_sqrt": [("exponent in T", 0.4, 0.6)],
}


def test_each_half_of_linear_then_flat_refutes_by_itself():
    def judge(below, above):
        found = {"exponent in eta, below": number(below, 0.01), "exponent in eta, above": number(above, 0.01)}
        return FOUND["linear_in_eta_then_flat"].verdict(found)

    assert judge(1.0, 0.0) == claims.SUPPORTED
    assert judge(0.5, 0.0) == claims.REFUTED  # flat, but sqrt(eta) before
    assert judge(1.0, 0.5) == claims.REFUTED  # linear, but never flat
    assert judge(1.0, 0.12) == claims.SUPPORTED
    assert judge(1.0, 0.17) == claims.INCONCLUSIVE  # 0.17 - 4 * 0.01 < 0.15


@pytest.mark.parametrize("last", [14, 18])  # quick, full
def test_the_exponent_of_explore_then_commit_tells_sqrt_from_powers_of_log(last):
    """Least-squares exponents of log T, log² T and sqrt T over T = 2^8, ..., 2^last, against the range [.4, .6]."""
    T = 2.0 ** np.arange(8, last + 1)
    exponents = [np.polyfit(np.log(T), np.log(f), 1)[0] for f in (np.log(T), np.log(T) ** 2, np.sqrt(T))]
    assert exponents[0] < exponents[1] < 0.3
    assert exponents[2] == pytest.approx(0.5, rel=1e-12)


def test_the_anytime_claim_is_refuted_by_a_small_coefficient_even_where_the_law_is_log_squared():
    def judge(law, margin, coefficient):
        found = {"law": law, "AICc of log2 above the best": claims.fact(margin)}
        found["coefficient of log² T over the law"] = number(coefficient, 0.05)
        return FOUND["anytime_log_squared"].verdict(found)

    assert judge("log2", 0.0, 1.0) == claims.SUPPORTED
    assert judge("log2", 0.0, 0.2) == claims.REFUTED
    assert judge("log", 1.0, 0.2) == claims.REFUTED
    assert judge("log", 1.0, 1.0) == claims.INCONCLUSIVE
    assert judge("sqrt", 11.0, 1.0) == claims.REFUTED


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, c in FOUND.items() if c.quick])
def test_a_claim_is_supported_and_its_control_refuted(name, tmp_path):
    """Rules ask for two standard errors to support and four to refute; the seed is the default of `Budget`."""
    done = claims.run(FOUND[name], claims.Budget(store=tmp_path / "store"))  # what both need is played once
    assert done.verdict == claims.SUPPORTED, done.numbers
    assert done.control == claims.REFUTED, done.control_numbers
    for part, low, high in REFUTING.get(name, []):
        assert claims.inside(done.control_numbers[part], low, high) == claims.REFUTED, part
    assert len(figures.save(done.claim.figure(done.result), tmp_path / name)) == 3
