"""The report: one page that says what a folder holds, escapes it, loads nothing, and is the same twice."""

import html.parser
import itertools
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

import banditlab as bl
from banditlab import cli, report

SMALL = ["rounds=256", "replications=4"]
NASTY = '<script>alert("x")</script> & <b>'

VOID = {"meta", "br", "link", "img"}


class Page(html.parser.HTMLParser):
    """Ids, references, elements and text of a page; elements must close in order."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags, self.open, self.text = Counter(), [], Counter(), [], []
        self.attributes = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.note(name, attributes)
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.note(name, attributes)

    def note(self, name, attributes):
        self.tags[name] += 1
        self.attributes += [(name, key, value) for key, value in attributes]
        given = dict(attributes)
        self.ids.update([given["id"]] if "id" in given else [])
        self.links += [given[key] for key in ("href", "xlink:href", "src", "action", "data", "srcset") if key in given]

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, text):
        self.text.append(text)


def read(folder):
    return Page((folder / "report.html").read_text())


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BANDITLAB_STORE", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A run, a multirun, an offline run, a sweep, a result saved from Python, and claims."""
    root = tmp_path_factory.mktemp("report") / "results"
    common = [f"results={root}", f"store={root}/store"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root.parent)
        assert cli.main([*common, *SMALL]) == 0
        assert cli.main([*common, *SMALL, "problem.eta=1,10", "-m"]) == 0
        assert cli.main([*common, "experiment=offline_rates", "samples=[64,256]", "replications=3"]) == 0
        axes = ["over.eta=[1,64]", "over.rounds=[64,128,256]", "over.kappa=[0,2]"]
        assert cli.main([*common, "experiment=regimes", "replications=3", *axes]) == 0
    run = bl.run(bl.bandits.textbook(eta=3.0), {NASTY: bl.bandits.kl_ucb}, rounds=64, replications=2, seed=0)
    run.manifest["problem"] = NASTY
    run.save(root / "python")
    write_claims(root / "claims", (root / "python").parent.rglob("regret.svg"))
    return root


def write_claims(folder, drawings):
    """What `banditlab claims` leaves, for two claims."""
    folder.mkdir()
    number = {"value": 1.25, "se": 0.1, "low": 1.0, "high": 1.5}
    control = {"wrong": "no bonus", "measured": {"law": "linear"}, "verdict": "refuted"}
    found = [
        {
            "id": name,
            "statement": statement,
            "latex": r"\mathrm{Reg}(T) < \eta K \log T & c",
            "source": "Zhao et al., arXiv:2502.07460",
            "predicted": "slope 1",
            "rule": "Supported inside [0.9, 1.6].",
            "measured": {"slope": number, "law": "log"},
            "verdict": "supported",
            "control": control,
            "seconds": 1.0,
            "figure": f"{name}.pdf",
        }
        for name, statement in (("regret_is_logarithmic", "Regret is logarithmic."), ("second", NASTY))
    ]
    full = {"budget": "quick", "sources": "abc", "claims": found, "full budget only": ["heavy"]}
    (folder / "claims.json").write_text(json.dumps(full))
    for claim, drawing in zip(found, drawings):
        shutil.copyfile(drawing, folder / f"{claim['id']}.svg")


def pages(results):
    return [results, *(path.parent for path in sorted(results.rglob("manifest.json"))), results / "claims"]


# ---------------------------------------------------------------------------------------------------------------
# Content
# ---------------------------------------------------------------------------------------------------------------


def test_a_run_s_page_holds_figure_numbers_config_versions_and_command(results, capsys):
    (folder,) = (results / "quickstart").iterdir()
    assert cli.main(["report", str(folder)]) == 0
    assert capsys.readouterr().out == f"page      {folder / 'report.html'}\n"
    page = read(folder)
    text = "".join(page.text)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["command"] in text and manifest["versions"]["numba"] in text
    assert "_target_: banditlab.bandits.textbook" in text and "scale: 1.0" in text
    saved = bl.load(folder)
    assert f"{saved.regret['kl_ucb'][:, -1].mean():.4g}" in page.text
    assert f"{saved.bounds['kl_ucb'][-1]:.4g}" in page.text
    assert f"{saved.channels['kl_ucb']['pseudo_regret'][:, -1].mean():.4g}" in page.text
    assert page.tags["svg"] == page.tags["title"] - 1 == len(list(folder.glob("*.svg"))) > 0


def test_the_page_of_a_parent_holds_every_result_and_the_settings_that_differ(results):
    text = report.report(results)
    page = Page(text)
    count = len(list(results.rglob("manifest.json")))
    assert count == 6 and "6 results and claims in the folder results." in page.text
    assert page.tags["h1"] == 1 and page.tags["h2"] == count + 3  # and claims, contents, results side by side
    (multirun,) = (results / "multirun").iterdir()
    differing = Page(report.report(multirun)).text
    assert {"problem.eta=1", "problem.eta=10"} <= set(differing)
    assert "eta" in page.text and "samples" in text and "phase diagram" in text


def test_a_sweep_s_table_has_a_row_for_every_cell(results):
    (folder,) = (results / "regimes").iterdir()
    grid = bl.load(folder).frame()
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", report.report(folder).split("Algorithms and their")[0])
    cells = [re.split(r"</t[hd]><td[^>]*>", row) for row in rows]
    first = grid.groupby(["eta", "rounds", "kappa"], sort=False)["regret"].mean()
    assert [tuple(map(float, cell[:3])) for cell in cells[: len(first)]] == [
        tuple(map(float, key)) for key in first.index
    ]
    assert [cell[4] for cell in cells[: len(first)]] == [f"{x:.4g}" for x in first]


def test_claims_show_statement_formula_verdict_control_and_command(results):
    page = Page(report.report(results / "claims"))
    text = "".join(page.text)
    for told in (
        r"\mathrm{Reg}(T) < \eta K \log T & c",
        "Supported inside [0.9, 1.6].",
        "[1, 1.5]",
        ": no bonus",
        "banditlab claims regret_is_logarithmic",
        "2 of 2 are supported",
        "full budget only",
    ):
        assert told in text, told
    assert page.tags["svg"] == 2


def test_claims_without_their_json_show_the_text(here):
    (here / "CLAIMS.md").write_text("# Claims\n\n<script>\n")
    text = report.report(here)
    assert "&lt;script&gt;" in text and "<script" not in text


def test_a_result_saved_without_figures_is_drawn(results):
    assert not list((results / "python").glob("*.svg"))
    page = Page(report.report(results / "python"))
    assert page.tags["svg"] == 1 and "saved from Python" in "".join(page.text)


def test_jobs_of_a_multirun_are_in_their_order(here):
    for job in range(11):
        (here / str(job)).mkdir()
        (here / str(job) / "manifest.json").touch()
        (here / str(job) / "table.parquet").touch()
    (here / "store" / "ab" / ("0" * 38)).mkdir(parents=True)
    (here / "store" / "ab" / ("0" * 38) / "claims.json").touch()
    runs, theorems = report.find(here)
    assert [run.name for run in runs] == [str(job) for job in range(11)] and not theorems


# ---------------------------------------------------------------------------------------------------------------
# Safe, self-contained, the same twice
# ---------------------------------------------------------------------------------------------------------------


def test_every_text_is_escaped(results):
    for folder in (results / "python", results / "claims"):
        text = report.report(folder)
        page = Page(text)
        assert "<script" not in text and page.tags["b"] == 0
        assert any(NASTY in part for part in page.text)


def test_nothing_outside_the_page_is_loaded_and_nothing_runs(results):
    for folder in pages(results):
        text = report.report(folder)
        page = Page(text)
        for link in page.links:
            assert link.startswith("#") or link.startswith("data:image/"), link
            assert link[1:] in page.ids or not link.startswith("#"), f"{link} leads nowhere"
        for reference in re.findall(r"url\(([^)]*)\)", text):
            assert reference.startswith("#") and reference[1:] in page.ids, reference
        assert not {"script", "link", "iframe", "object", "img", "foreignobject"} & set(page.tags)
        assert not [key for _, key, _ in page.attributes if key.startswith("on")]
        assert "@import" not in text


def test_ids_are_unique_and_every_drawing_refers_to_its_own(results):
    page = Page(report.report(results))
    assert [name for name, n in page.ids.items() if n > 1] == []
    assert page.tags["svg"] > 5
    saved = sorted(results.rglob("*.svg"))
    shared = set.intersection(*(set(re.findall(r' id="([^"]*)"', path.read_text())) for path in saved[:2]))
    assert shared, "drawings share ids before they are put on one page, or this test tests nothing"
    prefixes = {name.partition("-")[0] for name in page.ids if re.match(r"f\d+-", name)}
    assert len(prefixes) == page.tags["svg"]


def test_a_drawing_keeps_its_shapes_and_loses_what_runs_or_loads():
    drawing = """<?xml version="1.0"?>
    <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 20"
      onload="alert(1)"><metadata>m</metadata><style>@import "http://x/y.css"; * {fill: red}</style>
      <script>alert(2)</script><!-- cumulative regret -->
      <defs><clipPath id="p1"><rect width="3" height="4"/></clipPath></defs>
      <g clip-path="url(#p1)" onclick="alert(3)"><use xlink:href="#p1"/><use xlink:href="http://x/y.svg#z"/>
      <path d="M 0 0" style="fill: url(http://x/f)"/><a xlink:href="javascript:alert(4)"><path d="M 9 9"/></a>
      <image xlink:href="http://x/y.png"/><image xlink:href="data:image/png;base64,iVBORw0K&#10;Ggo="/>
      <image xlink:href="data:image/svg+xml;base64,AAAA"/></g><foreignObject><p>p</p></foreignObject></svg>"""
    text = report.inline(drawing, "f7-", "title <b>")
    root = ET.fromstring(text)
    for gone in ("alert", "http:", "metadata", "style>", "foreign", "javascript", "svg+xml", "<a"):
        assert gone not in text, gone
    assert root.find(".//clipPath").get("id") == "f7-p1" and root.find("g").get("clip-path") == "url(#f7-p1)"
    assert [use.get("href") for use in root.iter("use")] == ["#f7-p1", None]
    assert [image.get("href") is not None for image in root.iter("image")] == [False, True, False]
    assert root.find("title").text == "title <b>" and root.find("desc").text == "cumulative regret"
    assert root.get("aria-labelledby") == "f7-title f7-text"


def test_the_same_folder_gives_the_same_bytes(results, tmp_path):
    for name in ("a.html", "b.html"):
        assert cli.main(["report", str(results), f"page={tmp_path / name}"]) == 0
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert not (results / "report.html").exists()


def test_headings_tables_and_figures_have_names(results):
    text = report.report(results)
    page = Page(text)
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert levels[0] == 1 and all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert page.tags["caption"] == page.tags["table"] > 0
    assert page.tags["figcaption"] == page.tags["figure"] == page.tags["svg"]
    assert text.count('role="img"') == page.tags["svg"]
    assert '<html lang="en">' in text and "width=device-width" in text and "prefers-color-scheme: dark" in text


# ---------------------------------------------------------------------------------------------------------------
# Unusable input
# ---------------------------------------------------------------------------------------------------------------

BAD = [
    ("report", "report: name one folder .* got 0"),
    ("report empty empty", "report: name one folder .* got 2"),
    ("report nowhere", "folder: nowhere is not there"),
    ("report file", "folder: file is not there, or is not a folder"),
    ("report empty", "folder: empty holds nothing to report"),
    ("report claims pge=x.html", "option: 'pge' .* page"),
    ("report claims --page", "option: '--page' .* page"),
    ("report claims page=empty", "page: empty cannot be written"),
    ("report claims page=file/x.html", "page: file/x.html cannot be written"),
    ("report broken", "claims: broken/claims.json cannot be read"),
    ("report damaged", "manifest: damaged/manifest.json cannot be read"),
    ("report torn", "table: torn/table.parquet cannot be read"),
]


@pytest.mark.parametrize("command, told", BAD, ids=[command for command, _ in BAD])
def test_unusable_input_is_told_in_one_line_and_leaves_nothing(command, told, here, capsys):
    for name in ("empty", "damaged", "torn", "broken"):
        (here / name).mkdir()
    (here / "file").touch()
    (here / "broken" / "claims.json").write_text('{"claims": [{}]}')
    (here / "damaged" / "manifest.json").write_text("{")
    (here / "damaged" / "table.parquet").touch()
    (here / "torn" / "manifest.json").write_text("{}")
    (here / "torn" / "table.parquet").write_text("PAR1")
    write_claims(here / "claims", [])
    before = sorted(here.rglob("*"))
    assert cli.main(command.split()) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.count("\n") == 1 and re.search(f"^banditlab: .*{told}", error), error
    assert sorted(here.rglob("*")) == before


# ---------------------------------------------------------------------------------------------------------------
# In a browser
# ---------------------------------------------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]


@pytest.fixture
def browse(tmp_path):
    """Show a page at a width: its picture, what the console said, and the addresses that the page asked for."""
    from matplotlib.image import imread

    def browse(text, width):
        page, picture, net = tmp_path / "page.html", tmp_path / "page.png", tmp_path / "net.json"
        page.write_text(text)
        done = subprocess.run(
            [
                *(CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1600"),
                *(f"--screenshot={picture}", f"--log-net-log={net}", "--enable-logging=stderr", page.as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        told = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
        events = [event.get("params", {}) for event in json.loads(net.read_text())["events"]]
        # the browser's own errands have no origin
        asked = [e["url"] for e in events if "url" in e and e.get("initiator", "not an origin") != "not an origin"]
        return imread(picture), told, [url for url in asked if not url.startswith(("file:", "data:"))]

    return browse


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [500, 1280])
def test_a_browser_shows_the_page_without_network_or_complaint(results, browse, width):
    picture, told, asked = browse(report.report(results), width)
    assert picture.shape[1] == width and picture[..., :3].std() > 0.01, "the picture is blank"
    assert (told, asked) == ([], [])


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_browser_would_tell_of_a_request_and_of_an_error(browse):
    page = '<!doctype html><img src="http://127.0.0.1:9/x.png"><script>throw Error("no")</script>'
    _, told, asked = browse(page, 500)
    assert asked == ["http://127.0.0.1:9/x.png"] * len(asked) and asked and told
