"""The command: what it leaves, what it prints, and that unusable input leaves nothing."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib

import numpy as np
import pytest

import banditlab as bl
from banditlab import catalog, cli, simulate

SMALL = ["rounds=256", "replications=4"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BANDITLAB_STORE", raising=False)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    return tmp_path


def runs(folder):
    """Folders of finished runs below `folder`."""
    return sorted(path.parent for path in folder.rglob("manifest.json"))


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# ---------------------------------------------------------------------------------------------------------------
# What a run leaves
# ---------------------------------------------------------------------------------------------------------------


def test_an_experiment_leaves_table_manifest_figures_and_shards_and_says_where(here, capsys):
    assert cli.main([*SMALL, "problem.eta=3", "seed=7"]) == 0
    (folder,) = runs(here / "results" / "quickstart")
    names = {"table.parquet", "manifest.json", "problem.npz", "regret.pdf", "regret.svg", "regret.png"}
    assert {path.name for path in folder.iterdir()} == names
    printed = capsys.readouterr().out
    for name in names - {"problem.npz"}:
        assert str(folder / name) in printed
    assert str(here / "results" / "store") in printed
    assert list((here / "results" / "store").rglob("*.shard"))

    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["command"] == shlex.join(["banditlab", *SMALL, "problem.eta=3", "seed=7"])
    assert manifest["config"]["problem"] == {"_target_": "banditlab.bandits.textbook", "eta": 3}
    assert manifest["seed"] == 7 and manifest["rounds_per_second"] > 0.0 and manifest["wall_seconds"] > 0.0
    assert manifest["versions"]["sources"] and manifest["versions"]["numpy"] == np.__version__

    theorem = bl.run(
        bl.bandits.textbook(eta=3.0), {"kl_ucb": scaled(1.0), "greedy": scaled(0.0)}, rounds=256, replications=4, seed=7
    )
    saved = bl.load(folder)
    for name, regret in theorem.regret.items():
        np.testing.assert_array_equal(saved.regret[name], regret)
    np.testing.assert_array_equal(saved.bounds["kl_ucb"], theorem.bounds["kl_ucb"])


def test_an_offline_experiment_leaves_the_same_and_tells_suboptimality(here, capsys):
    words = ["experiment=offline_rates", "samples=[64,256]", "replications=3"]
    assert cli.main(words) == 0
    (folder,) = runs(here / "results" / "offline_rates")
    assert {"table.parquet", "manifest.json", "suboptimality.pdf"} <= {path.name for path in folder.iterdir()}
    printed = capsys.readouterr().out
    assert "suboptimality" in printed and "3 replications of up to 256 samples" in printed
    saved = bl.load(folder)
    again = bl.run_offline(
        bl.contextual.hard_offline(4, 4.0, eta=5.0),
        {"plug_in": bl.contextual.plug_in},
        samples=[64, 256],
        replications=3,
    )
    np.testing.assert_array_equal(saved.gap["plug_in"], again.gap["plug_in"])
    assert saved.lower is not None and "plug_in" in saved.laws


def test_an_offline_sweep_runs_over_samples(here):
    words = ["over.eta=[4,64]", "over.samples=[64,256]", "over.kappa=[1]", "replications=3"]
    assert cli.main(["experiment=offline_regimes", *words]) == 0
    (folder,) = runs(here / "results" / "offline_regimes")
    grid = bl.load(folder)
    assert set(grid.frame()["samples"]) == {64, 256} and (folder / "phase_diagram.pdf").is_file()


def scaled(scale):
    def kl_ucb(problem, rounds):
        return bl.bandits.kl_ucb(problem, rounds, scale=scale)

    kl_ucb.bound = lambda problem, rounds, at: bl.bandits.bounds.kl_ucb(problem, rounds, at, scale=scale)
    return kl_ucb


def test_the_artist_draws_the_bytes_that_this_process_would(here, monkeypatch):
    asked = []
    original = cli._begin_drawing
    monkeypatch.setattr(cli, "_begin_drawing", lambda *work: asked.append(cli._easel) or original(*work))
    cli.main(["results=artist", *SMALL])
    monkeypatch.setattr(simulate, "processors", lambda: 1)
    cli.main(["results=alone", *SMALL])
    assert asked[1] is None
    if sys.platform == "linux":
        assert asked[0] is not None
    with_artist, alone = (runs(here / name)[0] for name in ("artist", "alone"))
    for kind in ("pdf", "svg", "png"):
        assert (with_artist / f"regret.{kind}").read_bytes() == (alone / f"regret.{kind}").read_bytes()


def test_a_multirun_runs_every_combination_and_prints_every_folder(here, capsys):
    values = ["problem.eta=1,10", "algorithms.kl_ucb.scale=0.1,1", "figures=null"]
    assert cli.main([*SMALL, *values, "-m"]) == 0
    folders = runs(here / "results" / "multirun")
    assert [folder.name for folder in folders] == ["0", "1", "2", "3"]
    printed = capsys.readouterr().out
    configs = [json.loads((folder / "manifest.json").read_text())["config"] for folder in folders]
    found = [(config["problem"]["eta"], config["algorithms"]["kl_ucb"]["scale"]) for config in configs]
    assert found == [(1, 0.1), (1, 1), (10, 0.1), (10, 1)]
    assert all(str(folder / "table.parquet") in printed for folder in folders)


def test_axes_make_a_grid_equal_to_that_of_sweep(here):
    axes = {"eta": [1, 64], "rounds": [64, 128, 256], "kappa": [0, 2]}
    over = [f"over.{name}={values}".replace(" ", "") for name, values in axes.items()]
    assert cli.main(["experiment=regimes", "replications=3", *over]) == 0
    (folder,) = runs(here / "results" / "regimes")
    assert (folder / "phase_diagram.pdf").is_file()
    expected = bl.sweep(
        lambda eta, rounds, kappa: bl.bandits.hard_minimax(8, rounds, kappa, eta=eta),
        {"kl_ucb": bl.bandits.kl_ucb},
        over=axes,
        replications=3,
    ).frame()
    saved = bl.load(folder).frame()
    np.testing.assert_array_equal(saved["regret"], expected["regret"])
    np.testing.assert_array_equal(saved[list(axes)], expected[list(axes)])


def test_shards_are_found_again_and_the_store_can_be_moved(here, monkeypatch):
    def shards():
        return {path: path.stat().st_mtime_ns for path in here.rglob("*.shard")}

    quick = [*SMALL, "figures=null"]
    cli.main(quick)
    first = shards()
    cli.main(quick)
    assert first and shards() == first
    cli.main([*quick, "seed=1", "store=elsewhere"])
    assert list((here / "elsewhere").rglob("*.shard"))
    monkeypatch.setenv("BANDITLAB_STORE", str(here / "moved"))
    cli.main([*quick, "seed=2"])
    assert list((here / "moved").rglob("*.shard"))
    before = shards()
    cli.main([*quick, "seed=3", "store=null"])
    assert shards() == before


def test_only_repeats_one_replication(here):
    cli.main([*SMALL, "figures=null", "results=all"])
    cli.main([*SMALL, "figures=null", "results=one", "only=2"])
    whole, one = (bl.load(runs(here / name)[0]) for name in ("all", "one"))
    assert one.replications == range(2, 3)
    np.testing.assert_array_equal(one.regret["kl_ucb"][0], whole.regret["kl_ucb"][2])


# ---------------------------------------------------------------------------------------------------------------
# Unusable input
# ---------------------------------------------------------------------------------------------------------------

BAD = [
    ("algorithm=[bandits/kl_ucbb]", "algorithm: 'bandits/kl_ucbb' .* bandits/kl_ucb"),
    ("algorithm=[kl_ucb]", "algorithm: .* did you mean bandits/kl_ucb"),
    ("problem=bandits/textbok", "problem: .* did you mean bandits/textbook"),
    ("experiment=kl_ucb_rate", "experiment: .* did you mean kl_ucb_rates"),
    ("roundz=10", "key: 'roundz' .* rounds"),
    ("eta=3", "key: 'eta' .* problem.eta"),
    ("algorithms.kl_ucb.scal=1", "key: .* algorithms.kl_ucb.scale"),
    ("+problem.foo=1", "'foo'"),
    ("problem.eta=0", r"eta: 0 is not in \(0, inf\]"),
    ("problem.eta=-1", r"eta: -1 is not in \(0, inf\]"),
    ("problem.eta=nan", r"eta: nan is not in \(0, inf\]"),
    ("problem.eta=abc", "eta: expected a number, got 'abc'"),
    ("rounds=0", "rounds: 0 is not allowed"),
    ("rounds=2.5", "rounds: expected an integer"),
    ("replications=0", "replications: 0 is not allowed"),
    ("seed=-1", "seed: -1"),
    ("threads=0", "threads: 0"),
    ("only=-1", "only: -1"),
    ("problem=bandits/bernoulli problem.reference=[0.3,0.3,0.1,0.1,0.3]", "reference: sums to 1.1"),
    ("problem=bandits/bernoulli problem.reference=[0,0.25,0.25,0.25,0.25]", r"reference\[0\]: 0 is not allowed"),
    ("problem=bandits/bernoulli problem.mean=[0.5,1.2]", r"mean\[1\]: 1.2 is not allowed"),
    ("checkpoints=[10,5]", "checkpoints: must increase"),
    ("checkpoints=[10,50000]", r"checkpoints: 50000 is not in \[1, rounds = 16384\]"),
    ("algorithms.kl_ucb.scale=-1", "scale: -1"),
    ("algorithms.kl_ucb._target_=banditlab.bandits.nothing", "nothing"),
    ("algorithms=null", "algorithms: expected a mapping"),
    ("results=file/x", "results: .* cannot be written"),
    ("store=file/x", "store: file/x cannot be written"),
    ("+figures.regrett={}", "figure: 'regrett' .* regret"),
    ("+figures.phase_diagram={}", "figure: 'phase_diagram'"),
    ("+figures.regret_over_log={boundz:true}", "figures.regret_over_log: 'boundz' .* bounds"),
    ("experiment=regimes over.eta=[1,0]", "eta: 0 is not in"),
    ("experiment=regimes over.eta=3", "over.eta: expected a list"),
    ("experiment=regimes +over.foo=[1]", "axis: 'foo'"),
    ("experiment=regimes rounds=100", "rounds: give it either"),
    ("experiment=offline_rates samples=[0,10]", r"samples: 0 is not in \[1, 100000000000000\]"),
    ("experiment=offline_rates samples=[10,5]", "samples: must increase strictly"),
    ("experiment=offline_rates algorithms.kl_pcb.scale=-1", "scale: -1"),
    ("experiment=offline_rates problem.coverage=1", r"coverage: 1 is not in \[2"),
    ("experiment=offline_rates +figures.regret={}", "figure: 'regret' .* suboptimality"),
    ("experiment=coverage over.regularizer=[ki]", "regularizer: 'ki' .* kl"),
    ("experiment=offline_regimes samples=10", "samples: give it either"),
    ("experiment=offline_rates checkpoints=[10]", "checkpoints: an offline study has none"),
    ("experiment=pass_at_k algorithms.best_of_majority.threshold=2", "threshold: 2"),
    ("experiment=delay algorithms.delayed.delay=-1", "delay: -1"),
    ("problem.eta=1,10", "needs -m"),
    ("problem.eta=1,0 -m", "eta: 0 is not in"),
    ("experiment=quickstart,armz -m", "experiment: 'armz' .* arms"),
    ("problem.eta=1,2 algorithms.kl_ucb.scal=1,2 -m", "key: .* algorithms.kl_ucb.scale"),
    ("problem.eta=[1", "input"),
    ("quickstart", "command: .* experiment=quickstart"),
    ("lst", "command: .* list"),
    ("list --markdwn", "option: .* --markdown"),
    ("--multirn", "option: .* --multirun"),
]


@pytest.mark.parametrize("command, told", BAD, ids=[command for command, _ in BAD])
def test_unusable_input_is_told_in_one_line_and_leaves_nothing(command, told, here, monkeypatch, capsys):
    monkeypatch.setattr(simulate, "processors", lambda: 1)  # no artist: it would import matplotlib for nothing
    (here / "file").touch()
    assert cli.main(command.split()) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.endswith("\n") and error.count("\n") == 1, error
    assert re.search(f"^banditlab: .*{told}", error), error
    assert everything(here) == ["file"]


def test_a_figure_that_cannot_be_drawn_keeps_the_table(here, capsys):
    assert cli.main([*SMALL, "+figures.regret.time=logg"]) == 2
    assert capsys.readouterr().err.startswith("banditlab: time: 'logg' is unknown; did you mean")
    assert len(runs(here)) == 1


def test_hydra_full_error_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert cli.main(["problem.eta=0"]) == 2
    assert "Traceback" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------------------
# Interruption and failure
# ---------------------------------------------------------------------------------------------------------------


def test_ctrl_c_tells_where_the_shards_are(here, monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(simulate, "run", interrupt)
    assert cli.main(SMALL) == 130
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and str(here / "results" / "store") in error
    assert not any((here / "results" / "quickstart").iterdir())
    assert cli.main([*SMALL, "store=null"]) == 130
    assert "nothing was kept" in capsys.readouterr().err


def test_a_failed_simulation_tells_the_command_that_repeats_it(here, monkeypatch, capsys):
    def fail(*args, replications, **kwargs):
        raise simulate.SimulationError(f"kl_ucb: no number in round 10 of replication 17; {replications}", 17)

    monkeypatch.setattr(simulate, "run", fail)
    assert cli.main(["rounds=256", "problem.eta=2", "only=3"]) == 1
    told, command = capsys.readouterr().err.splitlines()
    assert told.startswith("banditlab: kl_ucb: no number")
    assert command == "reproduce: banditlab rounds=256 problem.eta=2 only=17"
    cli.main(shlex.split(command)[2:])
    assert "range(17, 18)" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_stops_a_long_study_and_keeps_its_finished_shards(here, package_root):
    """A signal must end a study of minutes within seconds, with the finished shards kept."""
    command = [sys.executable, "-m", "banditlab", "rounds=2_000_000", "replications=4000", "figures=null"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=here)
    until = time.monotonic() + 120.0
    while not list(here.rglob("*.shard")):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=10)
    assert process.returncode == 130
    assert error.count("\n") == 1 and str(here / "results" / "store") in error
    assert list(here.rglob("*.shard")) and not runs(here)


# ---------------------------------------------------------------------------------------------------------------
# What there is
# ---------------------------------------------------------------------------------------------------------------


def test_list_has_one_line_for_everything_from_where_it_is_defined(capsys):
    assert cli.main(["list"]) == 0
    lines = {words[0]: " ".join(words[1:]) for words in map(str.split, capsys.readouterr().out.splitlines())}
    offline = {**bl.contextual.OFFLINE, **bl.contextual.SELECTIONS}
    for family, named in (
        ("bandits", {**bl.bandits.ALGORITHMS, **bl.bandits.INSTANCES}),
        ("contextual", {**bl.contextual.ALGORITHMS, **offline, **bl.contextual.INSTANCES}),
        ("dueling", {**bl.dueling.ALGORITHMS, **bl.dueling.OFFLINE, **bl.dueling.INSTANCES}),
        ("mdps", {**bl.mdps.ALGORITHMS, **bl.mdps.OFFLINE, **bl.mdps.INSTANCES}),
        ("games", {**bl.games.ALGORITHMS, **bl.games.OFFLINE, **bl.games.INSTANCES}),
    ):
        for name, function in named.items():
            first = function.__doc__.partition("\n")[0].rstrip(".")
            assert lines[f"{family}/{name}"] == " ".join(first.split()), f"{family} {name}"
    assert lines["quickstart"].startswith("A first figure in seconds")
    experiments = {path.stem for path in (catalog.conf() / "experiment").glob("*.yaml")}
    assert experiments <= set(lines) and all(lines[name] for name in experiments)
    assert set(catalog.claims()) <= set(lines)


def test_list_markdown_has_a_row_with_a_source_for_every_algorithm(capsys):
    assert cli.main(["list", "--markdown"]) == 0
    head, rule, *rows = capsys.readouterr().out.splitlines()
    assert head.count("|") == rule.count("|") == 4
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    contextual = {**bl.contextual.ALGORITHMS, **bl.contextual.OFFLINE, **bl.contextual.SELECTIONS}
    dueling = {**bl.dueling.ALGORITHMS, **bl.dueling.OFFLINE}
    episodic = {**bl.mdps.ALGORITHMS, **bl.mdps.OFFLINE}
    markov = {**bl.games.ALGORITHMS, **bl.games.OFFLINE}
    families = {"bandits": bl.bandits.ALGORITHMS, "contextual": contextual, "dueling": dueling, "mdps": episodic}
    families["games"] = markov
    assert {cell[0] for cell in cells} == {f"`{family}.{name}`" for family, all in families.items() for name in all}
    assert all(len(cell) == 3 and all(cell) for cell in cells)


def composed(name):
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(str(catalog.conf()), version_base="1.3"):
        return compose("config", [f"experiment={name}"])


def test_every_algorithm_is_in_an_experiment_and_every_experiment_passes_its_checks():
    used = set()
    for name in catalog.experiments():
        config = composed(name)
        wanted = cli._build(config)
        cli._check_study(wanted)
        cli._check_figures(wanted)
        assert wanted.figures, name
        used |= {node._target_ for node in config.algorithms.values()}
    families = {"bandits": (), "contextual": ("OFFLINE", "SELECTIONS"), "dueling": ("OFFLINE",), "mdps": ("OFFLINE",)}
    for family, offline in {**families, "games": ("OFFLINE",)}.items():
        for table in ("ALGORITHMS", *offline):
            known = getattr(getattr(bl, family), table)
            assert {f"banditlab.{family}.{name}" for name in known} <= used


def test_claims_get_their_arguments(monkeypatch):
    from banditlab import claims

    monkeypatch.setattr(claims, "main", lambda argv: len(argv) + 40)
    assert cli.main(["claims", "greedy_law", "--full"]) == 42


def test_help_and_version(capsys):
    assert cli.main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: banditlab")
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"banditlab {bl.__version__}\n"


# ---------------------------------------------------------------------------------------------------------------
# Installed
# ---------------------------------------------------------------------------------------------------------------


def test_the_command_imports_nothing_heavy_before_it_needs_it(python):
    code = """
import json, sys
from banditlab import catalog, cli
catalog.algorithms(), catalog.experiments()
print(json.dumps([m for m in ("hydra", "omegaconf", "matplotlib", "pandas", "rich") if m in sys.modules]))
"""
    assert python(code)[0] == []


def test_configs_travel_in_the_wheel_and_are_preferred_there(package_root, tmp_path, monkeypatch):
    wheel = tomllib.loads((package_root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"experiments/conf": "banditlab/conf"}
    assert catalog.conf() == package_root / "experiments" / "conf"
    monkeypatch.setattr(catalog, "__file__", str(tmp_path / "banditlab" / "catalog.py"))
    (tmp_path / "banditlab" / "conf").mkdir(parents=True)
    assert catalog.conf() == tmp_path / "banditlab" / "conf"


def test_three_entries_are_the_same(package_root):
    scripts = tomllib.loads((package_root / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"banditlab": "banditlab.cli:main"}
    for entry in (["-m", "banditlab"], [str(package_root / "experiments" / "run.py")]):
        told = subprocess.run([sys.executable, *entry, "--version"], capture_output=True, text=True, check=True)
        assert told.stdout == f"banditlab {bl.__version__}\n"
