"""Collecting: what is joined, what is refused, and that identical duplicates are harmless."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import banditlab as bl
from banditlab import cli, collect, figures

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def multirun(tmp_path_factory):
    """The folder of a multirun over eta and the seed, by the basic launcher."""
    folder = tmp_path_factory.mktemp("runs")
    values = ["problem.eta=1,4", "problem.K=2", "seed=0,1", "rounds=64", "replications=3", "figures=null"]
    words = ["experiment=cluster_sweep", *values, f"results={folder}", f"hydra.sweep.dir={folder}/sweep"]
    assert cli.main(words) == 0
    return folder / "sweep"


@pytest.fixture
def runs(multirun, tmp_path):
    """A copy of it, to be spoilt."""
    return shutil.copytree(multirun, tmp_path / "runs")


def change(folder, **entries):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def test_a_multirun_becomes_the_table_of_a_sweep_with_seeds_as_replications(runs, capsys):
    assert cli.main(["collect", str(runs)]) == 0
    into = runs / "collected"
    printed = capsys.readouterr().out
    for name in ("table.parquet", "manifest.json", "scaling_eta.pdf", "scaling_eta.svg"):
        assert str(into / name) in printed and (into / name).is_file()

    grid = bl.load(into)
    assert grid.axes == {"eta": [1, 4]}
    expected = [
        bl.sweep(
            lambda eta: bl.bandits.linear_means(2, eta=eta, low=0.375, high=0.625),
            {"kl_ucb": bl.bandits.kl_ucb, "kl_greedy": bl.bandits.kl_greedy},
            over={"eta": [1, 4]},
            rounds=64,
            replications=3,
            seed=seed,
        )
        .frame()
        .assign(seed=seed)
        for seed in SEEDS
    ]
    by = ["eta", "algorithm", "seed", "replication"]
    both = [table.sort_values(by, ignore_index=True) for table in (grid.table, pd.concat(expected))]
    for column in (*by, "rounds", "regret"):
        np.testing.assert_array_equal(both[0][column], both[1][column])
    caption = " ".join(text.get_text() for text in figures.scaling(grid, "eta").texts)
    assert "6 replications" in " ".join(caption.split())


def test_the_manifest_says_where_every_row_came_from(runs):
    manifest = collect.collect(runs).manifest
    origins = manifest["collected"]
    assert [origin["folder"] for origin in origins] == ["0", "1", "2", "3"]
    assert sum(origin["rows"] for origin in origins) == 2 * 2 * 2 * 3
    for origin in origins:
        config = json.loads((runs / origin["folder"] / "manifest.json").read_text())["config"]
        assert origin["axes"] == {"eta": config["problem"]["eta"]}
        assert f"seed={config['seed']}" in origin["command"] and len(origin["sha256"]) == 64
    assert manifest["seed"] == [0, 1] and manifest["failed"] == []


def test_identical_duplicates_and_an_earlier_collection_are_harmless(runs):
    before = collect.collect(runs)
    before.save(runs / "collected")
    shutil.copytree(runs / "3", runs / "again" / "3")
    after = collect.collect(runs)
    pd.testing.assert_frame_equal(before.table, after.table)
    assert after.manifest["collected"][-1]["folder"] == "again/3" and after.manifest["collected"][-1]["rows"] == 0


def test_more_replications_of_a_cell_are_joined(runs):
    """Cells that overlap in some replications agree on those."""
    part = runs / "more"
    words = ["experiment=cluster_sweep", "problem.eta=1", "problem.K=2", "seed=0", "rounds=64", "replications=5"]
    assert cli.main([*words, "figures=null", "hydra.mode=RUN", f"hydra.run.dir={part}", "store=null"]) == 0
    table = collect.collect(runs).table
    cell = table[(table.eta == 1) & (table.seed == 0) & (table.algorithm == "kl_ucb")]
    assert cell["replication"].tolist() == [0, 1, 2, 3, 4]


def spoil_number(runs):
    shutil.copytree(runs / "2", runs / "other")
    table = pd.read_parquet(runs / "other" / "table.parquet")
    table.loc[table.index[-1], "regret"] = np.nextafter(table["regret"].iloc[-1], np.inf)
    table.to_parquet(runs / "other" / "table.parquet")


def spoil_kind(runs):
    problem = bl.contextual.hard_offline(2, 4.0, eta=5.0)
    fit = {"plug_in": bl.contextual.plug_in}
    bl.run_offline(problem, fit, samples=[8], replications=2).save(runs / "offline")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (spoil_number, "results do not fit together: .*eta = 4.* has different numbers in 2 and other"),
        (spoil_kind, "kind: results do not fit together: trajectory in 0, offline in offline"),
        (lambda runs: change(runs / "1", problem_type="banditlab.mdps.problem:MDP"), "family: .*mdps in 1"),
        (lambda runs: (runs / "3" / "table.parquet").write_bytes(b"PAR1"), "folder: .*3 holds no result that can"),
        (lambda runs: (runs / "3" / "manifest.json").write_text("{"), "folder: .*3 holds no result that can"),
        (lambda runs: change(runs / "3", kind="grid", axes={"eta": [1]}), "kind: .*grid in 3"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(runs, spoil, told, capsys):
    spoil(runs)
    capsys.readouterr()
    assert cli.main(["collect", str(runs)]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.count("\n") == 1
    assert re.search(f"^banditlab: {told}", error), error
    assert not (runs / "collected").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "collect: name one folder of results"),
        (["nowhere"], "folder: nowhere holds no saved result"),
        ([".", "result=x"], "option: 'result' is unknown; did you mean results"),
        ([".", "--results"], "option: '--results' is unknown"),
    ],
)
def test_unusable_arguments(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["collect", *words]) == 2
    assert capsys.readouterr().err.startswith(f"banditlab: {told}")


def test_axes_are_what_differs_and_names_are_short():
    settings = [
        {"problem._target_": "a.p", "problem.eta": 1, "algorithms.x.scale": 1, "algorithms.y.scale": 2},
        {"problem._target_": "a.p", "problem.eta": 2, "algorithms.x.scale": 3, "algorithms.y.scale": 4},
        {"problem._target_": "a.q", "problem.gap": 0.1, "algorithms.x.scale": 1, "algorithms.y.scale": 2},
    ]
    assert collect._axes(settings, ["regret"]) == {
        "problem": ["p", "p", "q"],
        "eta": [1, 2, None],
        "x.scale": [1, 3, 1],
        "y.scale": [2, 4, 2],
    }
    assert list(collect._axes([{"a.regret": 1}, {"a.regret": 2}], ["regret"])) == ["a.regret"]
    referring = [{"rounds": n, "problem.rounds": n} for n in (8, 16)]
    assert list(collect._axes(referring, ["rounds"])) == ["rounds"]
    assert collect._axes([{"algorithms.x.scale": 1}, {"algorithms.z.delta": 1}], []) == {}


def test_offline_results_and_sweeps_and_results_of_python_are_joined_too(tmp_path):
    fit = {"plug_in": bl.contextual.plug_in}
    for seed in SEEDS:
        problem = bl.contextual.hard_offline(2, 4.0, eta=5.0)
        bl.run_offline(problem, fit, samples=[8, 32], replications=2, seed=seed).save(tmp_path / "offline" / str(seed))
        bl.sweep(
            lambda eta: bl.bandits.linear_means(4, eta=eta),
            {"kl_ucb": bl.bandits.kl_ucb},
            over={"eta": [1 + 2 * seed, 2 + 2 * seed]},
            rounds=32,
            replications=2,
        ).save(tmp_path / "grids" / str(seed))
    offline = collect.collect(tmp_path / "offline")
    assert offline.axes == {"samples": [8, 32]} and len(offline.table) == 8 and offline.table["gap"].notna().all()
    grids = collect.collect(tmp_path / "grids")
    assert grids.axes == {"eta": [1, 2, 3, 4]} and len(grids.table) == 8
