"""The documentation: its example runs, its gallery lists what there is, and its links lead somewhere."""

import fnmatch
import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest

import banditlab as bl
from banditlab import catalog, claims

DOCS = Path(__file__).parents[1] / "docs"


def module(name):
    """A file of the documentation as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def test_the_worked_example_runs_and_its_width_knows_the_variance():
    example = module("kl_ucb_v")
    learner = example.kl_ucb_v(bl.bandits.bernoulli([0.5, 0.5], eta=1.0), 1000, scale=0.1)
    assert learner.index(0, 1) == 1.0
    for reward in (0.0, 1.0, 1.0, 1.0):
        learner.update(1, 0, reward)
    L = learner.level
    assert learner.index(0, 5) == min(0.75 + 0.1 * ((2 * 0.1875 * L / 4) ** 0.5 + 3 * L / 4), 1.0)
    with pytest.raises(ValueError, match="delta"):
        example.kl_ucb_v(bl.bandits.textbook(), 10, delta=1.5)
    result = example.race(rounds=4096, replications=4)
    final = {name: regret[:, -1].mean() for name, regret in result.regret.items()}
    assert 0.0 < final["KL-UCB-V"] < result.problem.mean.max() * 4096


def test_the_page_shows_all_of_the_example():
    text = (DOCS / "kl_ucb_v.py").read_text()
    marks = re.findall(r':(?:start-after|end-before): "(.*?)"', (DOCS / "algorithm.md").read_text())
    assert marks and all(len(re.findall(f"^{mark}$", text, re.MULTILINE)) == 1 for mark in marks)


def test_the_gallery_has_every_experiment_claim_and_paper_figure(tmp_path):
    pytest.importorskip("yaml")
    gallery = module("gallery")
    gallery.write(tmp_path / "gallery", pictures=False)
    text = "\n".join(path.read_text() for path in (tmp_path / "gallery").glob("*.md"))
    for name in catalog.experiments():
        assert f"\nbanditlab experiment={name}\n" in text, name
    for name, claim in claims.find().items():
        assert (f"\nbanditlab claims {name}\n" in text) == claim.quick, name
    saved = {path.name for path in (DOCS.parent / "paper_figures").glob("*.svg")}
    assert {path.name.partition("-")[2] for path in (tmp_path / "gallery" / "pictures").iterdir()} == saved
    assert all(f"pictures/paper_figures-{name}" in text for name in saved)


def test_what_the_gallery_makes_smaller_is_small():
    gallery = module("gallery")
    config = {"replications": 100, "rounds": 1 << 17, "over": {"K": list(range(1, 13)), "rounds": [1 << 10, 1 << 20]}}
    assert gallery.reduced(config) == [
        "replications=8",
        "rounds=4096",
        "over.K=[1,3,5,7,9,11]",
        "over.rounds=[1024]",
    ]
    assert gallery.reduced({"replications": 8, "rounds": 100}) == []
    jobs = {"replications": 8, "hydra": {"mode": "MULTIRUN"}}
    assert gallery.reduced(jobs) == ["figures=null"]  # what is shown is what collect draws


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, name, attributes):
        given = dict(attributes)
        self.ids |= {given[key] for key in ("id", "name") if given.get(key)}
        self.links += [given[key] for key in ("href", "src") if given.get(key)]


def broken(site):
    """Links of a site's pages that lead to no file, or to no place in one."""
    pages = {path.resolve(): Links(path.read_text()) for path in site.rglob("*.html")}
    for path, page in pages.items():
        for link in page.links:
            url, place = urlparse(link), urldefrag(link).fragment
            if url.scheme:
                continue
            found = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not found.exists() or (place and found in pages and unquote(place) not in pages[found].ids):
                yield f"{path.name}: {link}"


def test_every_page_is_in_the_table_of_contents():
    entries = re.search(r"```{toctree}\n(.*?)```", (DOCS / "index.md").read_text(), re.DOTALL).group(1).split()
    pages = {path.stem for path in DOCS.glob("*.md")} - {"index"}
    assert pages == {page for page in pages if any(fnmatch.fnmatch(page, entry) for entry in entries)}
    assert not any(fnmatch.fnmatch("no_such_page", entry) for entry in entries)  # control


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<p id="x"><a href="b.html#y"></a><a href="#x"></a><img src="c.png"></p>')
    (tmp_path / "b.html").write_text('<a href="a.html#x"></a><a href="https://example.org/#z"></a>')
    assert sorted(broken(tmp_path)) == ["a.html: b.html#y", "a.html: c.png"]


@pytest.mark.slow
@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("sphinx", "furo", "numpydoc", "myst_parser")),
    reason="needs the docs extra",
)
def test_the_site_builds_without_warning_and_its_links_lead_somewhere(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
    command += ["-d", tmp_path / "trees", DOCS, tmp_path / "site"]
    done = subprocess.run(
        list(map(str, command)), env={**os.environ, "DOCS_GALLERY": "0"}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert list(broken(tmp_path / "site")) == []
    api = (tmp_path / "site" / "generated" / "api" / "bandits.html").read_text()
    assert all(f'id="banditlab.bandits.{name}"' in api for name in bl.bandits.ALGORITHMS)
    claims_page = (tmp_path / "site" / "generated" / "gallery" / "claims-bandits.html").read_text()
    assert "<msup><mi>log</mi><mn>2</mn></msup>" in claims_page and "\\{" not in claims_page
    for path in (tmp_path / "site").rglob("*.html"):  # nothing is loaded from elsewhere
        assert not re.findall(
            r'(?:<script[^>]* src|<img[^>]* src|<link rel="stylesheet"[^>]* href)="https?:', path.read_text()
        )
