"""The README's Python runs as it stands (at fewer replications), and its table is the generated one."""

import ast
import re
from pathlib import Path

import pytest

from banditlab.jit import DISABLED, statistics

README = Path(__file__).parents[1] / "README.md"


def run(block, names):
    """Run a block as a notebook cell would, and return the value of its last expression."""
    *before, last = ast.parse(block).body
    assert isinstance(last, ast.Expr)
    exec(compile(ast.Module(before, []), str(README), "exec"), names)
    return eval(compile(ast.Expression(last.value), str(README), "eval"), names)


@pytest.mark.slow
def test_the_readme_s_python_runs_and_the_user_s_algorithm_is_compiled_and_drawn(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.S)
    start, offline, duels, episodes, games, own = (
        re.sub(r"replications=(200|100|60|50)", "replications=4", block) for block in blocks
    )
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "readme"}
    run(start, names)
    assert (tmp_path / "results" / "first" / "table.parquet").is_file()
    assert set(names["result"].regret) == {"KL-UCB", "greedy"}

    assert run(offline, names) == pytest.approx(2.0, rel=1e-12)  # C / 2 on the hard instance
    assert names["offline"].gap["KL-PCB"].shape == (4, 3)

    assert run(duels, names).shape == (4, names["duels"].checkpoints.size)
    assert (run(episodes, names)[:, -1] > 0.9).all()

    plans = run(games, names)
    assert plans.shape == (4, names["games"].checkpoints.size) and (plans[:, -1] < 400).all()
    assert names["games"].problem.suboptimality((names["plan"].row, names["plan"].column)) < 1e-12

    before = statistics()["compiled"]
    (axes,) = run(own, names).axes
    assert {"KL-UCB", "mine"} <= {text.get_text() for text in axes.texts}
    assert not DISABLED
    assert statistics()["compiled"] > before, "the loop is compiled anew for the class of the README"


def test_the_readme_s_table_is_generated():
    from banditlab import catalog

    text = README.read_text()
    shown = text.split("<!-- banditlab list --markdown -->\n")[1].split("<!-- end -->")[0]
    assert shown.strip() == catalog.markdown().strip()
