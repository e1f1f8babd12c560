"""The API pages: one a module, in sections made from what the package exports, so that nothing is listed by hand."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

FAMILIES = ("bandits", "contextual", "dueling", "mdps", "games")
MODULES = ("regularizer", "equilibrium", "claims", "figures", "report", "store", "rates", "confidence")
REGISTRIES = {
    "Algorithms": "ALGORITHMS",
    "Offline algorithms": "OFFLINE",
    "Selections": "SELECTIONS",
    "Instances": "INSTANCES",
}


def write(folder: Path) -> None:
    """Write every page and their index into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "banditlab.rst").write_text(_top())
    for name in FAMILIES:
        (folder / f"{name}.rst").write_text(_family(f"banditlab.{name}"))
    for name in MODULES:
        (folder / f"{name}.rst").write_text(_module(f"banditlab.{name}"))
    pages = "\n".join(f"   {name}" for name in ("banditlab", *FAMILIES, *MODULES))
    (folder / "index.rst").write_text(
        f"{_heading('API', '=')}From the docstrings of the package, a page a module.\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n{pages}\n"
    )


def _top() -> str:
    module = importlib.import_module("banditlab")
    names = [name for name in module.__all__ if not inspect.ismodule(getattr(module, name))]
    functions = [name for name in names if not inspect.isclass(getattr(module, name))]
    results = [name for name in names if name not in functions]
    return (
        f"{_heading('banditlab', '=')}{_doc(module)}\n\n"
        f"{_section('Studies', 'banditlab', functions)}{_section('Results', 'banditlab', results, members=True)}"
    )


def _family(path: str) -> str:
    module = importlib.import_module(path)
    text = f"{_heading(path, '=')}{_doc(module)}\n\n"
    registries = {title: getattr(module, name) for title, name in REGISTRIES.items() if hasattr(module, name)}
    listed = {name for registry in registries.values() for name in registry}
    others = [n for n in module.__all__ if n not in listed and callable(getattr(module, n))]
    text += _section("Problems and data", path, others)
    for title, registry in registries.items():
        text += _section(title, path, registry)
    for name in module.__all__:
        if inspect.ismodule(inner := getattr(module, name)):
            title = name[0].upper() + name[1:]
            text += f"{_heading(title, '-')}{_doc(inner)}\n\n"
            text += "".join(_entry(f"{path}.{name}", n, inner) for n in _public(inner))
    return text


def _module(path: str) -> str:
    module = importlib.import_module(path)
    title = _heading(path, "=")
    return f"{title}{_doc(module)}\n\n" + "".join(_entry(path, n, module) for n in _public(module))


def _public(module: ModuleType) -> list[str]:
    """Names of what a module exports, or else of what it defines, that have a docstring of their own."""

    def own(name: str, x: Any) -> bool:
        return not name.startswith("_") and callable(x) and getattr(x, "__module__", "") == module.__name__

    named = getattr(module, "__all__", None)
    return [n for n, x in vars(module).items() if (own(n, x) if named is None else n in named and callable(x))]


def _section(title: str, path: str, names: Iterable[str], *, members: bool = False) -> str:
    module = importlib.import_module(path)
    entries = "".join(_entry(path, name, module, members=members) for name in names)
    return f"{_heading(title, '-')}{entries}" if entries else ""


def _entry(path: str, name: str, module: ModuleType, *, members: bool = True) -> str:
    x = getattr(module, name)
    if inspect.isclass(x):
        exclude = ", ".join(["set", *getattr(x, "_fields", ())])  # matplotlib's; and what the class's docstring has
        shown = f"   :members:\n   :exclude-members: {exclude}\n" if members else ""
        return f".. autoclass:: {path}.{name}\n{shown}\n"
    return f".. autofunction:: {path}.{name}\n\n"


def plain(line: str) -> str:
    """A line of a docstring whose bars stand for themselves, outside of what stands in backticks."""
    parts = re.split(r"(`+[^`]*`+)", line)
    return "".join(part if part.startswith("`") else part.replace("|", "\\|") for part in parts)


def _doc(module: ModuleType) -> str:
    return "\n".join(plain(line) for line in (inspect.getdoc(module) or "").splitlines())


def _heading(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}\n\n"
