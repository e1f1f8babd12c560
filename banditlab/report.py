"""One page about a folder of results: figures, numbers, configs, claims, and the commands that make them again.

The page is a single HTML file that needs no network and no script: figures stand in it as SVG, each with ids of its
own. It holds nothing but what the folder says, so that the same folder gives the same bytes, and every text goes
through `tag`, which escapes it.
"""

from __future__ import annotations

import html
import json
import math
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from banditlab.collect import folder_and_option
from banditlab.store import write_atomically
from banditlab.trajectory import MANIFEST, TABLE, load

if TYPE_CHECKING:
    import pandas as pd

PAGE = "report.html"
"""Name of the page, in the folder that it is about."""

CLAIMS, CLAIMS_TEXT = "claims.json", "CLAIMS.md"
"""Files that `banditlab claims` writes."""

_MANY = 40  # rows beyond which a table is folded
_CELL = re.compile(r"[0-9a-f]{38}")  # folders of the store, which hold shards and no results


def main(argv: Sequence[str]) -> int:
    """``banditlab report FOLDER [page=FILE]``: write the page and print where it is.

    Parameters
    ----------
    argv : sequence of str
        The folder, and where the page goes (``FOLDER/report.html`` by default).

    Returns
    -------
    int
        0.

    Raises
    ------
    ValueError, OSError
        In one line: no folder named, no such folder, nothing in it to report, a page that cannot be written.
    """
    folder, given = folder_and_option("report", argv, "page")
    page = Path(given or folder / PAGE)
    text = report(folder)
    try:
        write_atomically(page, text.encode())
    except OSError as error:
        raise OSError(f"page: {page} cannot be written ({error.strerror})") from None
    print(f"page      {page.absolute()}")
    return 0


def report(folder: str | Path) -> str:
    """A folder of results as one HTML page.

    Parameters
    ----------
    folder : str or Path
        Of a run, of a multirun, of ``banditlab claims``, or a parent of several of these.

    Returns
    -------
    str
        The page: the same for the same files.

    Raises
    ------
    OSError
        Where there is no such folder.
    ValueError
        Where it holds no results, or one whose files are damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"folder: {folder} is not there, or is not a folder")
    runs, theorems = find(folder)
    if not runs and not theorems:
        raise ValueError(
            f"folder: {folder} holds nothing to report ({MANIFEST} beside {TABLE}, {CLAIMS} or {CLAIMS_TEXT})"
        )
    page = _Page(folder)
    for place in theorems:
        page.add_claims(place)
    for place in runs:
        page.add_run(place)
    return page.render()


def find(folder: Path) -> tuple[list[Path], list[Path]]:
    """Folders of saved results and folders of claims, `folder` or below it, in the order of their paths."""
    runs, theorems = [], []
    for place, below, files in os.walk(folder):
        below[:] = [name for name in below if not _CELL.fullmatch(name) and not name.startswith(".")]
        if MANIFEST in files and TABLE in files:
            runs.append(Path(place))
        if CLAIMS in files or CLAIMS_TEXT in files:
            theorems.append(Path(place))
    return sorted(runs, key=_natural), sorted(theorems, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """A sort key by which job 10 of a multirun comes after job 9."""
    return [(int(part) if part.isdecimal() else -1, part) for part in path.parts]


# ---------------------------------------------------------------------------------------------------------------
# The page
# ---------------------------------------------------------------------------------------------------------------


class _Page:
    """Sections as they are added; figures and headings are numbered through the page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sections: list[Html] = []
        self.contents: list[tuple[str, str]] = []  # (id, name)
        self.overview: list[list[Any]] = []
        self.words: list[list[str]] = []  # of the command of each run
        self.drawn = 0

    def render(self) -> str:
        name = self.folder.resolve().name
        runs, several = len(self.overview), len(self.contents) > 1
        what = [f"{runs} {'result' if runs == 1 else 'results'}"] if runs else []
        what += ["claims"] if len(self.contents) > runs else []
        top = [tag("p", f"{' and '.join(what)} in the folder {name}.")]
        if several:
            links = [tag("li", tag("a", text, href=f"#{anchor}")) for anchor, text in self.contents]
            top.append(tag("nav", tag("h2", "Contents"), tag("ol", *links), aria_label="Contents"))
        if runs > 1:
            shared = set.intersection(*(set(words) for words in self.words))
            rows = [
                [*row, tag("code", " ".join(word for word in words if word not in shared))]
                for row, words in zip(self.overview, self.words)
            ]
            heads = ["result", "problem", "size", "measure", "its own settings"]
            top.append(
                tag("section", tag("h2", "Results side by side"), _table("Every result of this page", heads, rows))
            )
        return _PAGE.substitute(
            title=tag("title", f"{name}: report"),
            style=_STYLE,
            heading=tag("h1", f"Report of {name}"),
            body="\n".join([*top, *self.sections]),
        )

    def name(self, place: Path) -> str:
        """A folder in this page: its path below the page's own."""
        inner = place.relative_to(self.folder).as_posix()
        return self.folder.resolve().name if inner == "." else inner

    def figures(self, place: Path, about: str, stems: Iterable[str] | None = None) -> list[Html]:
        """The SVG files of a folder as figures."""
        paths = sorted(place.glob("*.svg")) if stems is None else [place / f"{stem}.svg" for stem in stems]
        return [self.figure(_read(path), path.stem, about) for path in paths if path.is_file()]

    def figure(self, drawing: str, stem: str, about: str) -> Html:
        """A drawing with a title for those who do not see it."""
        self.drawn += 1
        name = stem.replace("_", " ")
        try:
            drawn = inline(drawing, f"f{self.drawn}-", f"{name}: {about}")
        except ET.ParseError as error:
            return tag("p", f"The figure {stem} is no readable SVG ({error}).")
        return tag("figure", drawn, tag("figcaption", f"Figure {self.drawn}: {name}"))

    # --- a run ---

    def add_run(self, place: Path) -> None:
        manifest, table = _manifest(place), _frame(place)
        name, anchor = self.name(place), f"result-{len(self.overview) + 1}"
        kind = manifest.get("kind", "result")
        problem = str(manifest.get("problem", ""))
        command = manifest.get("command")
        self.contents.append((anchor, name))
        self.overview.append([tag("a", name, href=f"#{anchor}"), problem, _size(manifest, table), _measure(table)])
        self.words.append(str(command or "").split())
        figures = self.figures(place, f"{problem}, {name}") or self._drawn_now(place, problem)
        facts = {
            "problem": problem,
            "size": _size(manifest, table),
            "seed": manifest.get("seed"),
            "wall time": _seconds(manifest.get("wall_seconds")),
            "rounds per second": _shown(manifest.get("rounds_per_second")),
        }
        parts = [
            tag("h2", name, id=anchor),
            tag("p", f"Saved {kind}: {problem}." if problem else f"Saved {kind}."),
            tag("h3", "Command"),
            tag("pre", tag("code", command), tabindex="0")
            if command
            else tag("p", "No command is recorded: this was saved from Python, from the algorithms below."),
            *([tag("h3", "Figures"), *figures] if figures else []),
            tag("h3", "Numbers"),
            *_numbers(manifest, table),
            tag("h3", "Algorithms"),
            _algorithms(manifest),
            tag("h3", "Run"),
            _table("Facts of the run", ["what", "value"], [[k, v] for k, v in facts.items() if v not in (None, "")]),
            _table("Versions", ["package", "version"], [[k, v] for k, v in manifest.get("versions", {}).items()]),
        ]
        if "config" in manifest:
            text = tag("pre", tag("code", _yaml(manifest["config"])), tabindex="0")
            parts += [tag("h3", "Resolved config"), tag("details", tag("summary", "Every entry of the config"), text)]
        self.sections.append(tag("section", *parts, aria_labelledby=anchor))

    def _drawn_now(self, place: Path, about: str) -> list[Html]:
        """The standard figure of a result that was saved without one."""
        from banditlab import figures

        try:
            result = load(place)
            drawing = figures.svg(result.plot())
        except (ImportError, AttributeError, ValueError, TypeError, OSError) as error:
            return [tag("p", f"No figure was saved with this result, and none could be drawn ({_one_line(error)}).")]
        return [self.figure(drawing.decode(), str(result.manifest["kind"]), about)]

    # --- claims ---

    def add_claims(self, place: Path) -> None:
        name, anchor = self.name(place), f"claims-{len(self.contents) + 1}"
        name = name if "claims" in name else f"{name}: claims"
        self.contents.append((anchor, name))
        head = tag("h2", name, id=anchor)
        if not (place / CLAIMS).is_file():
            text = tag("pre", _read(place / CLAIMS_TEXT), tabindex="0")
            self.sections.append(tag("section", head, text, aria_labelledby=anchor))
            return
        try:
            report = json.loads(_read(place / CLAIMS))
            parts = self._claims(place, report, anchor)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"claims: {place / CLAIMS} cannot be read ({_one_line(error)})") from None
        self.sections.append(tag("section", head, *parts, aria_labelledby=anchor))

    def _claims(self, place: Path, report: Mapping[str, Any], anchor: str) -> list[Html]:
        budget, found = report["budget"], report["claims"]
        rows = [
            [
                tag("a", c["id"], href=f"#{anchor}-{i}"),
                c["predicted"],
                _list(c["measured"]),
                _verdict(c["verdict"], "supported"),
                _verdict(c["control"]["verdict"], "refuted"),
            ]
            for i, c in enumerate(found, 1)
        ]
        rows += [[name, "", "", "full budget only", ""] for name in report.get("full budget only", [])]
        holds = sum(c["verdict"] == "supported" and c["control"]["verdict"] == "refuted" for c in found)
        parts = [
            tag(
                "p",
                f"Theorems as programs at the {budget} budget: {holds} of {len(found)} are supported with their "
                "control refuted. A verdict follows the rule stated with the claim; the control is a study in which "
                "the claim does not hold. Intervals are 95 % bootstrap intervals over replications. "
                f"Numerical sources {report.get('sources', 'unknown')}.",
            ),
            _table("Claims and verdicts", ["claim", "predicted", "measured", "verdict", "control"], rows),
        ]
        for i, c in enumerate(found, 1):
            control = c["control"]
            command = f"banditlab claims {c['id']}{' --full' if budget == 'full' else ''}"
            measured = [["study", *row] for row in _estimates(c["measured"])]
            measured += [["control", *row] for row in _estimates(control["measured"])]
            parts += [
                tag("h3", c["id"], id=f"{anchor}-{i}"),
                tag("p", c["statement"]),
                tag("p", tag("code", c["latex"], class_="formula"), aria_label="Formula, as LaTeX", role="group"),
                tag(
                    "dl",
                    *_terms(
                        {
                            "Source": c["source"],
                            "Predicted": c["predicted"],
                            "Rule": c["rule"],
                            "Verdict": _verdict(c["verdict"], "supported"),
                            "Control": tag("span", _verdict(control["verdict"], "refuted"), f": {control['wrong']}"),
                        }
                    ),
                ),
                _table(f"What {c['id']} measured", ["where", "number", "value", "95 % interval"], measured),
                *self.figures(place, c["statement"], [Path(c["id"]).name]),
                tag("pre", tag("code", command), tabindex="0"),
            ]
        return parts


# ---------------------------------------------------------------------------------------------------------------
# What a folder says
# ---------------------------------------------------------------------------------------------------------------


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _manifest(place: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read(place / MANIFEST))
    except ValueError as error:
        raise ValueError(f"manifest: {place / MANIFEST} cannot be read ({_one_line(error)})") from None
    if not isinstance(found, dict):
        raise ValueError(f"manifest: {place / MANIFEST} cannot be read (no mapping)")
    return found


def _frame(place: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow

    try:
        return pd.read_parquet(place / TABLE)
    except (ValueError, OSError, pyarrow.ArrowException) as error:
        raise ValueError(f"table: {place / TABLE} cannot be read ({_one_line(error)})") from None


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _measure(table: pd.DataFrame) -> str:
    """The column of the exact measure."""
    return next((name for name in ("regret", "gap") if name in table), str(table.columns[-1]))


def _time(table: pd.DataFrame) -> str | None:
    """The column along which a result grows; None for a sweep, of which only the ends are kept."""
    if "round" in table:
        return "round"
    return "samples" if "samples" in table and "rounds" not in table else None


def _size(manifest: Mapping[str, Any], table: pd.DataFrame) -> str:
    replications = f"{table['replication'].nunique()} replications" if "replication" in table else ""
    if manifest.get("kind") == "grid":
        axes = ", ".join(f"{axis} ({len(values)})" for axis, values in manifest.get("axes", {}).items())
        return f"sweep over {axes}; {replications}"
    if "samples" in manifest:
        return f"up to {max(manifest['samples'])} samples; {replications}"
    return f"{manifest.get('rounds', '?')} rounds; {replications}"


def _numbers(manifest: Mapping[str, Any], table: pd.DataFrame) -> list[Html]:
    """Tables of the measure at the end of a result, and of the other channels' means."""
    if "algorithm" not in table or "replication" not in table:
        return [tag("p", f"The table has {len(table)} rows with the columns {', '.join(map(str, table.columns))}.")]
    measure, time = _measure(table), _time(table) if manifest.get("kind") != "grid" else None
    axes = [axis for axis in manifest.get("axes", {}) if axis in table]
    channels = [
        str(c) for c in table.columns if c not in (*axes, "rounds", "samples", "round", "algorithm", "replication")
    ]
    if time is not None:
        table = table[table[time] == table[time].max()]
    groups = list(table.groupby([*axes, "algorithm"], sort=False))
    bounds, laws = manifest.get("bounds", {}), manifest.get("laws", {})
    heads = [*axes, "algorithm", "mean", "2 s.e.", "median", "95 %"]
    heads += ["law"] if laws else []
    heads += ["bound"] if bounds else []
    rows: list[list[Any]] = []
    others: list[list[Any]] = []
    for key, part in groups:
        x = part[measure].to_numpy(dtype=float)
        error = 2.0 * x.std(ddof=1) / math.sqrt(x.size) if x.size > 1 else math.nan
        row: list[Any] = [*key, *map(_shown, [x.mean(), error, *np.quantile(x, [0.5, 0.95])])]
        for curves in filter(None, (laws, bounds)):
            row.append(_shown(curves[key[-1]][-1]) if key[-1] in curves else "")
        rows.append(row)
        others.append([*key, *(_shown(part[c].to_numpy(dtype=float).mean()) for c in channels if c != measure)])
    where = {"round": "after the last round", "samples": "at the largest sample size", None: "at the end"}[time]
    found = [_table(f"{measure} {where}, over replications", heads, rows)]
    if rest := [c for c in channels if c != measure]:
        found.append(_table(f"Means of the other channels {where}", [*axes, "algorithm", *rest], others))
    return found


def _algorithms(manifest: Mapping[str, Any]) -> Html:
    rows = []
    for label, about in manifest.get("algorithms", {}).items():
        parameters = ", ".join(f"{k} = {v}" for k, v in about.get("parameters", {}).items())
        rows.append([label, tag("code", about.get("algorithm", "")), parameters or "defaults"])
    return _table("Algorithms and their parameters", ["label", "algorithm", "parameters"], rows)


def _estimates(numbers: Mapping[str, Any]) -> Iterator[list[str]]:
    """Name, value and interval of each measured number."""
    for name, x in numbers.items():
        if isinstance(x, Mapping):
            interval = f"[{_shown(x['low'])}, {_shown(x['high'])}]" if x["se"] else ""
            yield [name, _shown(x["value"]), interval]
        else:
            yield [name, str(x), ""]


def _list(numbers: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {value} {interval}".rstrip() for name, value, interval in _estimates(numbers))


def _yaml(config: Any) -> str:
    import yaml

    return str(yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100)).rstrip()


def _shown(x: Any) -> str:
    """A number as a reader wants it; an absent one as a dash."""
    try:
        value = float(x)
    except (TypeError, ValueError):
        return "–"
    return "–" if math.isnan(value) else f"{value:.4g}"


def _seconds(x: Any) -> str | None:
    return None if x is None else f"{float(x):.1f} s"


# ---------------------------------------------------------------------------------------------------------------
# HTML
# ---------------------------------------------------------------------------------------------------------------


class Html(str):
    """Text that is HTML already; any other text is escaped by `tag`."""


def tag(name: str, *children: Any, **attributes: str) -> Html:
    """An element; children that are not `Html` are escaped, and so are attributes (``class_``: class, _: hyphen)."""
    inner = "".join(child if isinstance(child, Html) else html.escape(str(child)) for child in children)
    given = "".join(f' {k.rstrip("_").replace("_", "-")}="{html.escape(v)}"' for k, v in attributes.items())
    return Html(f"<{name}{given}>{inner}</{name}>")


def _terms(terms: Mapping[str, Any]) -> Iterator[Html]:
    for term, text in terms.items():
        yield tag("dt", term)
        yield tag("dd", text)


def _verdict(word: str, good: str) -> Html:
    return tag("strong", word, class_="good" if word == good else "bad")


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Html:
    """A table that scrolls in itself on a narrow screen, folded where it is long."""

    def cell(i: int, value: Any) -> Html:
        if i == 0:
            return tag("th", value, scope="row")
        number = not isinstance(value, Html) and re.fullmatch(r"[-–+.e\d]*|inf|-inf", str(value))
        return tag("td", value, class_="number") if number else tag("td", value)

    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in heads)))
    body = tag("tbody", *(tag("tr", *(cell(i, value) for i, value in enumerate(row))) for row in rows))
    table = tag("table", tag("caption", caption), head, body)
    found = tag("div", table, class_="wide", role="region", aria_label=caption, tabindex="0")
    return tag("details", tag("summary", f"{caption}: {len(rows)} rows"), found) if len(rows) > _MANY else found


# What matplotlib writes, and nothing that runs, loads or leaves the drawing.
_ELEMENTS = {
    *("svg", "g", "defs", "use", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan"),
    *("clipPath", "mask", "pattern", "linearGradient", "radialGradient", "stop", "image"),
}
_REFERENCE = re.compile(r"url\(\s*(['\"]?)([^)]*?)\1\s*\)")
_IMAGE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]*")


def inline(drawing: str, prefix: str, title: str) -> Html:
    """An SVG file as an element of a page.

    Parameters
    ----------
    drawing : str
        The file.
    prefix : str
        Put before every id and every reference to one: two drawings of a page otherwise share the names of clip paths
        and glyphs, and the second is drawn with the first one's.
    title : str
        What it shows, for those who do not see it. The texts in the drawing are added as its description.

    Returns
    -------
    Html
        With ``href`` and ``url()`` inside the drawing only, images as data, and no script, style sheet or metadata.

    Raises
    ------
    ParseError
        Where it is not XML, or not SVG.
    """
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    root = ET.fromstring(drawing, parser)
    if _local(root.tag) != "svg":
        raise ET.ParseError(f"the root element is {_local(root.tag)!r}")
    texts: list[str] = []
    clean = _clean(root, prefix, texts)
    size = [clean.attrib.pop(side, None) for side in ("width", "height")]
    clean.set("viewBox", clean.get("viewBox") or " ".join(["0 0", *(re.sub(r"[^\d.]", "", x or "") for x in size)]))
    clean.set("role", "img")
    clean.set("aria-labelledby", f"{prefix}title {prefix}text")
    clean.set("style", f"{_width(clean)}stroke-linejoin: round; stroke-linecap: butt")  # matplotlib's style sheet
    for i, (name, text) in enumerate({"title": title, "desc": " ".join(texts)}.items()):
        element = ET.Element(name, {"id": f"{prefix}{'title' if name == 'title' else 'text'}"})
        element.text = text
        clean.insert(i, element)
    return Html(ET.tostring(clean, encoding="unicode"))


def _width(drawing: ET.Element) -> str:
    """The natural width, half as large again as on paper, which a narrow screen may shrink."""
    view = drawing.get("viewBox", "").split()
    return f"width: {1.5 * float(view[2]) * 4.0 / 3.0:.0f}px; " if len(view) == 4 else ""


def _clean(element: ET.Element, prefix: str, texts: list[str]) -> ET.Element:
    """A copy without namespaces and foreign things; comments, in which matplotlib keeps its texts, go to `texts`."""
    copy = ET.Element(_local(element.tag))
    copy.text, copy.tail = element.text, element.tail
    for key, value in element.attrib.items():
        name = _local(key)
        if name == "id":
            value = prefix + value
        elif name == "href":
            if value.startswith("#"):
                value = f"#{prefix}{value[1:]}"
            elif not (copy.tag == "image" and _IMAGE.fullmatch(value)):
                continue
        elif name.lower().startswith("on") or name in ("base", "src", "class", "space"):
            continue
        elif "url(" in value:
            if any(not found[2].startswith("#") for found in _REFERENCE.finditer(value)):
                continue
            value = _REFERENCE.sub(lambda found: f"url(#{prefix}{found[2][1:]})", value)
        copy.set(name, value)
    for child in element:
        if child.tag is ET.Comment:
            texts.append(" ".join((child.text or "").split()))
        elif isinstance(child.tag, str) and _local(child.tag) in _ELEMENTS:
            copy.append(_clean(child, prefix, texts))
    return copy


def _local(name: str) -> str:
    return name.rpartition("}")[2]


_STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --quiet: #595959; --back: #fff; --soft: #f3f3f1; --line: #c9c9c4;
  --link: #0b57a4; --good: #17692e; --bad: #a1260d; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e3; --quiet: #a9a9a4; --back: #17181a; --soft: #232528;
  --line: #44474b; --link: #8ab8f0; --good: #7fcf95; --bad: #f4937d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: var(--text); background: var(--back);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
a { color: var(--link); }
figure { margin: 1rem 0; }
figure svg { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line); }
figcaption, caption { color: var(--quiet); font-size: .9rem; text-align: left; padding: .25rem 0; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; min-width: min(100%, 24rem); }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  font-weight: normal; }
thead th { color: var(--quiet); }
td { min-width: 7rem; overflow-wrap: normal; }
td.number { min-width: 4rem; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { padding: .75rem; background: var(--soft); overflow-x: auto; font-size: .85rem; }
code { font-family: ui-monospace, monospace; }
.formula { display: block; padding: .5rem .75rem; background: var(--soft); white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: .85rem; }
dt { color: var(--quiet); font-size: .9rem; }
dd { margin: 0 0 .5rem; }
.good { color: var(--good); }
.bad { color: var(--bad); }
@media print { details::details-content { content-visibility: visible; } }
"""

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
$title
<style>$style</style>
</head>
<body>
<main>
$heading
$body
</main>
</body>
</html>
""")
