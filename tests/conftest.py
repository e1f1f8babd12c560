"""Fixtures: this package in a fresh interpreter, with the compiled kernels' cache where the test wants it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import banditlab

ROOT = Path(banditlab.__file__).parents[1]
TESTS = Path(__file__).parent


@pytest.fixture(scope="session")
def package_root():
    """The folder that holds the package `banditlab`."""
    return ROOT


@pytest.fixture(scope="session")
def start():
    """Start a Python program in a new interpreter: ``start(code, cache=folder, path=[...], NAME=value)``."""

    def start(code, *, cache=None, path=(), **environment):
        env = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}
        env["PYTHONPATH"] = os.pathsep.join(map(str, [*path, ROOT, TESTS, TESTS / "bandits"]))
        if cache is not None:
            env["BANDITLAB_CACHE"] = str(cache)
        env |= {name: str(value) for name, value in environment.items()}
        return subprocess.Popen(
            [sys.executable, "-c", code], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    return start


@pytest.fixture(scope="session")
def python(start):
    """As `start`, but wait: the last line printed, read as JSON, and what went to stderr."""

    def python(code, **options):
        return finish(start(code, **options))

    return python


@pytest.fixture(scope="session")
def finish_all():
    """Wait for interpreters begun by `start`."""
    return lambda processes: [finish(p) for p in processes]


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out.strip().splitlines()[-1]), err


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory):
    """A cache folder shared by those tests of a session that must not see the user's."""
    return tmp_path_factory.mktemp("cache")
