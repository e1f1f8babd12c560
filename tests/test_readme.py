"""The README's Python runs as it stands (at fewer replications), and its table is the generated one."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_the_readme_s_python_runs(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.S)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "readme"}
    for block in blocks:
        quick = block.replace("replications=200", "replications=4").replace("replications=60", "replications=4")
        exec(compile(quick, str(README), "exec"), names)
    assert (tmp_path / "results" / "first" / "table.parquet").is_file()
    assert set(names["result"].regret) == {"KL-UCB", "greedy"}


def test_the_readme_s_table_is_generated():
    from banditlab import catalog

    text = README.read_text()
    shown = text.split("<!-- banditlab list --markdown -->\n")[1].split("<!-- end -->")[0]
    assert shown.strip() == catalog.markdown().strip()
