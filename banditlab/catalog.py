"""What there is: every problem, algorithm, experiment and claim with one line each, read from where it is defined.

Problems and algorithms are described by the first line of the docstring that their config points to, experiments by the
comment that heads their config, claims by their statement. `banditlab list` and the table of the README are made here.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TARGET = re.compile(r"^_target_:\s*(\S+)", re.MULTILINE)
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def conf() -> Path:
    """Folder of the configs: inside the installed package, or the checkout's ``experiments/conf``."""
    package = Path(__file__).parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "experiments" / "conf"


def problems() -> dict[str, str]:
    """One line a problem, by the name that ``problem=`` takes."""
    return {name: _first_line(target) for name, target in _targets("problem").items()}


def algorithms() -> dict[str, str]:
    """One line an algorithm, by the name that ``algorithm=[...]`` takes."""
    return {name: _first_line(target) for name, target in _targets("algorithm").items()}


def experiments() -> dict[str, str]:
    """One line an experiment, by the name that ``experiment=`` takes."""
    return {name: _header(path) for name, path in _configs("experiment").items()}


def claims() -> dict[str, str]:
    """One line a claim, by its id."""
    from banditlab import claims as theorems

    return {name: claim.statement.rstrip(".") for name, claim in theorems.find().items()}


def sections() -> dict[str, dict[str, str]]:
    """Everything, under headings that say how it is used."""
    return {
        "problems (problem=NAME)": problems(),
        "algorithms (algorithm=[NAME,...])": algorithms(),
        "experiments (experiment=NAME)": experiments(),
        "claims (banditlab claims NAME)": claims(),
    }


def markdown() -> str:
    """The algorithms with their sources as a Markdown table."""
    rows = ["| algorithm | what it is | source |", "| --- | --- | --- |"]
    for name, target in _targets("algorithm").items():
        source = _ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", _references(target))
        cells = [f"`{name.replace('/', '.')}`", _first_line(target), source]
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows)


def _configs(group: str) -> dict[str, Path]:
    """Config files below a group, by the name that Hydra gives them."""
    folder = conf() / group
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.yaml"))}


def _targets(group: str) -> dict[str, Callable[..., Any]]:
    """The functions that the configs of a group point to."""
    found = {}
    for name, path in _configs(group).items():
        match = _TARGET.search(path.read_text())
        if match is None:
            raise ValueError(f"config: {path} has no _target_")
        module, _, attribute = match.group(1).rpartition(".")
        found[name] = getattr(importlib.import_module(module), attribute)
    return found


def _first_line(target: Callable[..., Any]) -> str:
    return (inspect.getdoc(target) or "").partition("\n")[0].rstrip(".")


def _references(target: Callable[..., Any]) -> str:
    """The section References of a numpydoc docstring, as one line."""
    _, _, section = (inspect.getdoc(target) or "").partition("References\n----------\n")
    text = re.split(r"\n\n\S[^\n]*\n---", section)[0]
    return " ".join(text.split()).rstrip(".")


def _header(path: Path) -> str:
    """The comment at the head of a config, but for Hydra's own line."""
    words: list[str] = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith("# @package"):
            words += line.lstrip("# ").split()
    return " ".join(words).rstrip(".")
