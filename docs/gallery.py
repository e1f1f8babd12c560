"""Pictures and pages of the gallery: every experiment, every claim, every figure of `paper_figures/`.

Experiments are drawn at a reduced size (see `reduced`) and claims at their quick budget, each by the command that its
page shows, through the store: what was drawn from the same sources is not drawn again. `DOCS_GALLERY=0` leaves the
pictures of experiments and claims out and keeps everything else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import os
import re
import shlex
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from banditlab import catalog, claims, cli, simulate
from banditlab.jit import sources_digest

ROOT = Path(__file__).parents[1]
DRAWN = ROOT / "build" / "gallery"  # what was drawn, with stamps
STORE = os.environ.get("BANDITLAB_STORE", str(ROOT / "results" / "store"))
FAMILIES = ("bandits", "contextual", "dueling", "mdps", "games", "equilibrium")

REPLICATIONS, ROUNDS, POINTS = 8, 1 << 12, 6
"""The reduced size: at most so many replications, rounds, and values of an axis (every other, or third)."""


def reduced(config: dict[str, Any]) -> list[str]:
    """Overrides that make an experiment small, from its config; empty where it is small already."""
    words = []
    if config.get("replications", 100) > REPLICATIONS:
        words.append(f"replications={REPLICATIONS}")
    if (config.get("rounds") or 0) > ROUNDS:
        words.append(f"rounds={ROUNDS}")
    for axis, values in (config.get("over") or {}).items():
        kept = [x for x in values if axis != "rounds" or x <= 4 * ROUNDS]
        kept = kept[:: -(-len(kept) // POINTS)]
        if kept != values:
            words.append(f"over.{axis}=[{','.join(str(x) for x in kept)}]")
    return [*words, "figures=null"] if is_multirun(config) else words


def is_multirun(config: dict[str, Any]) -> bool:
    """Whether an experiment is many jobs, whose figures are those of `banditlab collect`."""
    return (config.get("hydra") or {}).get("mode") == "MULTIRUN"


def experiments() -> dict[str, tuple[str, list[str]]]:
    """Family, and words of the command at the reduced size, of every experiment."""
    import yaml

    found = {}
    for name in catalog.experiments():
        text = (catalog.conf() / "experiment" / f"{name}.yaml").read_text()
        family = re.search(r"override /problem: (\w+)/", text)
        assert family is not None, f"{name} chooses no problem"
        numbers = re.sub(r"\b(\d+)_(\d+)\b", r"\1\2", text)  # as Hydra reads them
        found[name] = family[1], [f"experiment={name}", *reduced(yaml.safe_load(numbers))]
    return found


def theorems() -> dict[str, list[str]]:
    """Ids of the claims of each family that have a quick budget."""
    found: dict[str, list[str]] = {family: [] for family in FAMILIES}
    for name, claim in claims.find().items():
        if claim.quick:
            found[claim.study.__module__.rpartition(".")[2]].append(name)
    return found


# ---------------------------------------------------------------------------------------------------------------
# Drawing
# ---------------------------------------------------------------------------------------------------------------


def draw() -> None:
    """Draw what has changed, on at most two processors: one process a family."""
    work = [("experiment", name, family, words) for name, (family, words) in experiments().items()]
    work += [("claims", family, family, names) for family, names in theorems().items() if names]
    parts = [[task for task in work if task[2] == family] for family in FAMILIES]
    parts = [left for part in parts if (left := [task for task in part if not _is_fresh(task)])]
    if not parts:
        return
    several = min(2, simulate.processors(), len(parts))
    begin = time.perf_counter()
    print(f"gallery: drawing {sum(map(len, parts))} commands, {several} at a time", flush=True)
    with ProcessPoolExecutor(several, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts.sort(key=len, reverse=True)
        for _ in pool.map(_draw_family, parts):
            pass
    print(f"gallery: drawn in {time.perf_counter() - begin:.0f} s", flush=True)


def _draw_family(tasks: list[tuple[str, str, str, list[str]]]) -> None:
    from banditlab import figures

    del figures  # imported once, before the command forks a process that draws
    for task in tasks:
        kind, name, _, words = task
        folder = _folder(task)
        shutil.rmtree(folder, ignore_errors=True)
        begin = time.perf_counter()
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
            if kind == "claims":
                with contextlib.redirect_stderr(nothing):
                    code = claims.main([*words, f"store={STORE}", f"results={folder}"])
                failed = code > 1  # 1: a verdict, which the page shows
            else:
                jobs = folder / "jobs"
                places = [f"hydra.run.dir={folder}", f"hydra.sweep.dir={jobs}"]
                failed = bool(cli.main([*words, *places, f"store={STORE}", "threads=1"]))
                failed = failed or (jobs.is_dir() and bool(cli.main(["collect", str(jobs), f"results={folder}"])))
        if failed:
            raise RuntimeError(f"gallery: {kind} {name} failed")
        (folder / "stamp").write_text(_stamp(task))
        print(f"gallery: {kind} {name} ({time.perf_counter() - begin:.1f} s)", file=sys.stderr, flush=True)


def _folder(task: tuple[str, str, str, list[str]]) -> Path:
    return DRAWN / task[0] / task[1]


def _is_fresh(task: tuple[str, str, str, list[str]]) -> bool:
    stamp = _folder(task) / "stamp"
    return stamp.is_file() and stamp.read_text() == _stamp(task)


def _stamp(task: tuple[str, str, str, list[str]]) -> str:
    """A digest of the command and of everything that its picture depends on."""
    kind, _, family, words = task
    package = ROOT / "banditlab"
    paths = [package / "figures.py", package / "banditlab.mplstyle", package / "rates.py", package / "trajectory.py"]
    if kind == "claims":
        paths += [package / "claims" / "__init__.py", package / "claims" / f"{family}.py"]
    else:
        paths += sorted(catalog.conf().rglob("*.yaml"))
    told = [sources_digest(), *words, *(path.read_text() for path in paths)]
    return hashlib.sha256("\0".join(told).encode()).hexdigest()


# ---------------------------------------------------------------------------------------------------------------
# Pages
# ---------------------------------------------------------------------------------------------------------------


def write(folder: Path, *, pictures: bool) -> None:
    """Write the gallery's pages and pictures into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "pictures").mkdir(parents=True)
    pages = {"paper": _paper(folder)}
    found = experiments()
    headers = catalog.experiments()
    for family in FAMILIES:
        names = [name for name, (own, _) in found.items() if own == family]
        if names:
            pages[family] = _experiments(folder, family, {n: (headers[n], found[n][1]) for n in names}, pictures)
    for family, names in theorems().items():
        if names:
            pages[f"claims-{family}"] = _claims(folder, family, names, pictures)
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text)
    (folder / "index.md").write_text(_index(list(pages), pictures))


def _index(pages: list[str], pictures: bool) -> str:
    lines = [
        "# Gallery",
        "",
        "Every figure that a command of this package makes, with the command. Pictures of experiments are drawn at a",
        f"reduced size (at most {REPLICATIONS} replications, {ROUNDS} rounds and {POINTS} values of an axis), so their",
        "bands are wide and their curves short; the first command under each figure draws it at the size of its",
        "config, and the second as shown. Claims are at their quick budget, and the figures of papers at full size.",
        *(
            []
            if pictures
            else ["", "**This build left the pictures of experiments and claims out** (`DOCS_GALLERY=0`)."]
        ),
        "",
        "```{toctree}",
        ":maxdepth: 1",
        "",
        *pages,
        "```",
    ]
    return "\n".join(lines) + "\n"


def _picture(folder: Path, source: Path, alt: str) -> list[str]:
    """A picture, copied beside the pages."""
    name = f"{source.parent.name}-{source.name}"
    shutil.copyfile(source, folder / "pictures" / name)
    alt = " ".join(alt.replace("\\", "").split())
    width = re.search(r'<svg [^>]*width="([\d.]+)pt"', source.read_text())
    wide = " wide" if width and float(width[1]) > 300.0 else ""  # points; a column has 238
    return ["", f"```{{image}} pictures/{name}", f":alt: {alt}", f":class: figure{wide}", "```"]


def _command(*lines: str) -> list[str]:
    return ["", "```sh", *lines, "```"]


def _text(words: str) -> str:
    """Words that mean themselves in Markdown, but for names in backticks."""
    parts = re.split(r"(`[^`]+`)", words)
    return "".join(p if p.startswith("`") else re.sub(r"([\\`*_{}\[\]<>|#$~])", r"\\\1", p) for p in parts)


def _paper(folder: Path) -> str:
    lines = ["# Figures of papers", "", "At full size, as saved in `paper_figures/`; `make figures` makes all of them."]
    scripts = sorted((ROOT / "paper_figures").glob("*.py"))
    stems = [script.stem for script in scripts]
    for script in scripts:
        about = re.match(r'"""(?:Figures?: )?(.*?)\n\n', script.read_text(), re.DOTALL)
        assert about is not None, f"{script.name} has no docstring"
        told = " ".join(about[1].split())
        lines += ["", f"## {script.stem.replace('_', ' ')}", "", _text(told[0].upper() + told[1:])]
        for picture in sorted(script.parent.glob("*.svg")):
            if max((s for s in stems if picture.stem.startswith(s)), key=len, default="") == script.stem:
                lines += _picture(folder, picture, told)
        lines += _command(f"python paper_figures/{script.name}")
    return "\n".join(lines) + "\n"


def _experiments(folder: Path, family: str, found: dict[str, tuple[str, list[str]]], pictures: bool) -> str:
    lines = [f"# Experiments: {family}"]
    for name, (header, words) in found.items():
        lines += ["", f"## {name}", "", f"{_text(header)}."]
        drawn = sorted((DRAWN / "experiment" / name).glob("*.svg")) if pictures else []
        for picture in drawn:
            lines += _picture(folder, picture, f"{picture.stem.replace('_', ' ')}: {header}")
        own = [] if len(words) == 1 else ["# as drawn above" if drawn else "# smaller", _shell(words)]
        joined = ["# its jobs joined, in the folder that it prints", "banditlab collect FOLDER"]
        lines += _command("# at its own size", _shell(words[:1]), *own, *(joined if "figures=null" in words else []))
        if drawn and len(words) == 1:
            lines += ["", "Drawn at its own size."]
        elif drawn:
            lines += ["", f"Drawn with {', '.join(f'`{word}`' for word in words[1:])}."]
    return "\n".join(lines) + "\n"


def _shell(words: list[str]) -> str:
    return shlex.join(["banditlab", *words])


def _claims(folder: Path, family: str, names: list[str], pictures: bool) -> str:
    source = DRAWN / "claims" / family
    ran = {c["id"]: c for c in json.loads((source / "claims.json").read_text())["claims"]} if pictures else {}
    every = claims.find()
    lines = [f"# Claims: {family}", ""]
    lines += [f"`banditlab claims {' '.join(names)}` runs those of this page." if len(names) < 3 else ""]
    for name in names:
        claim = every[name]
        lines += ["", f"## {name.replace('_', ' ')}", "", _text(claim.statement), "", "```{math}", claim.latex, "```"]
        lines += ["", f"Source: {_text(claim.source)}", "", f"Rule: {_text(claim.rule)}"]
        if name in ran:
            done = ran[name]
            lines += ["", f"Verdict **{done['verdict']}**; control ({_text(claim.wrong)}) "]
            lines[-1] += f"**{done['control']['verdict']}**."
            lines += _picture(folder, source / f"{name}.svg", claim.statement)
        else:
            lines += ["", f"Control: {_text(claim.wrong)}"]
        lines += _command(f"banditlab claims {name}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    draw()
