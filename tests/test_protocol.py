"""Every algorithm of every family keeps its protocol; where one does not, a line says what is wrong.

A family is a subpackage with a dict ``ALGORITHMS`` of constructors ``(problem, rounds, *, parameters) -> learner``
and, in its ``problem`` module, the verbs ``FORMS`` of a learner. A new family is one entry of `CHAPTERS`. Its offline
algorithms are functions ``(data, *, parameters) -> policy``, in dicts that `OFFLINE` names.
"""

import functools
import importlib
import inspect
import json
import math
import pkgutil
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import typeof

import banditlab
from banditlab import contextual, dueling, games, mdps
from banditlab.bandits.problem import bandit
from banditlab.jit import check_verbs

ROUNDS = 1000
CONFIGS = Path(__file__).parents[1] / "experiments" / "conf" / "algorithm"
NOT_FAMILIES = {"claims", "conf"}


class Chapter(NamedTuple):
    """What this file must know of a family."""

    problem: Any  # the instance that every algorithm is tried on
    others: list[Any]  # instances that a learner must reach through the same kernel
    truth: tuple[str, ...]  # fields that a learner must not read
    shared: set[str]  # modules of the family that are no algorithms


def among(problem, *others):
    """The MDP, known to be itself or one of the others."""
    models = [*others, problem]
    return mdps.with_models(problem, [m.transition for m in models], [m.reward for m in models])


CHAPTERS = {
    "bandits": Chapter(
        problem=bandit([0.2, 0.5, 0.7, 0.4], eta=5.0, reference=[0.3, 0.3, 0.2, 0.2]),
        others=[
            bandit([0.2, 0.5], eta=1e-2),
            bandit(np.linspace(0.1, 0.9, 40), eta=50.0),
            bandit([0.2, 0.5, 0.7], eta=math.inf),
        ],
        truth=("mean", "gap", "log_optimal", "optimal", "value"),
        shared={"problem", "loop", "instances", "bounds", "as_policy"},
    ),
    "contextual": Chapter(
        problem=contextual.random_linear(3, 4, 2, eta=5.0, seed=1),
        others=[
            contextual.random_linear(1, 2, 1, eta=1e-2),
            contextual.random_linear(40, 30, 5, eta=50.0, measure="realised"),
            contextual.random_linear(3, 4, 2, eta=math.inf),
        ],
        truth=("mean", "gap", "log_optimal", "optimal", "value", "parameter"),
        shared={
            "problem",
            "loop",
            "instances",
            "bounds",
            "coverage",
            "dataset",
            "linear_model",
            "logs",
            "answers",
            "finite_class",
        },
    ),
    "dueling": Chapter(
        problem=dueling.bradley_terry([1.0, 0.6, 0.3, 0.0], eta=5.0, reference=[0.3, 0.3, 0.2, 0.2], measure="average"),
        others=[
            dueling.bradley_terry([0.5, 0.0], eta=1e-2),
            dueling.bt_ladder(40, eta=50.0, measure="reward"),
            dueling.bt_ladder(5, measure="borda"),
            dueling.bradley_terry(features=np.eye(3)[None], parameter=[1.0, 0.5, 0.0], eta=5.0),
        ],
        truth=(
            "preference",
            "reward",
            "gap",
            "condorcet_gap",
            "borda_gap",
            "reward_gap",
            "winner",
            "log_optimal",
            "optimal",
            "parameter",
        ),
        shared={"problem", "loop", "instances", "comparisons", "rlhf", "nash"},
    ),
    "mdps": Chapter(
        problem=among(mdps.random_tabular(3, 2, 3, seed=1, eta=5.0), mdps.random_tabular(3, 2, 3, seed=2, eta=5.0)),
        others=[
            among(mdps.random_linear(5, 3, 2, 3, eta=1e-2)),
            among(mdps.hypercube(2, 2)),
            among(mdps.deep_sea(3)),
        ],
        truth=(
            "transition",
            "cumulative",
            "reward",
            "optimal",
            "log_optimal",
            "advantage",
            "optimal_value",
            "value",
        ),
        shared={
            "problem",
            "loop",
            "instances",
            "planning",
            "least_squares",
            "lsvi",
            "sampled_lsvi",
            "backup",
            "episodes",
            "coverage",
        },
    ),
    "games": Chapter(
        problem=games.random_tabular(3, 2, 3, 3, seed=1, eta=5.0),
        others=[
            games.random_tabular(1, 1, 4, 2, eta=1e-2),
            games.mixed_core(eta=math.inf),
            games.turn_based(2, 2, 2, eta=50.0),
        ],
        truth=("transition", "cumulative", "reward"),
        shared={"problem", "loop", "instances", "planning", "backup", "models", "plays", "superoptimism", "coverage"},
    ),
}
PREFERENCES = CHAPTERS["dueling"]._replace(
    problem=dueling.rps(5, 0.3, 1, eta=5.0, reference=[0.02, 0.2, 0.2, 0.2, 0.2, 0.18]),
    others=[dueling.rps(eta=1e-2), dueling.rps(5, eta=50.0), dueling.preferences(np.full((3, 2, 2), 0.5), eta=1.0)],
)
"""In place of their chapter for algorithms that refuse rewards."""
MATRICES = CHAPTERS["games"]._replace(
    problem=games.matrix([[0.2, 0.9, 0.4], [0.7, 0.3, 0.5]], eta=5.0, row_reference=[0.3, 0.7]),
    others=[games.matrix([[0.5]], eta=1e-2), games.mixed_matrix(eta=math.inf, noise="gaussian")],
)
"""For the algorithm of matrix games."""
REFUSING = {("dueling", name): PREFERENCES for name in ("nash_greedy", "nash_mixed", "nash_enhancer")}
REFUSING |= {("games", "omg"): MATRICES}


def chapter_of(family, name):
    return REFUSING.get((family, name), CHAPTERS[family])


LINEAR = CHAPTERS["contextual"].problem
OFFLINE = {  # an instance for each
    ("contextual", "OFFLINE"): {
        "plug_in": LINEAR,
        "kl_pcb": LINEAR,
        "f_pcb": contextual.random_tabular(3, 4, eta=5.0, seed=1, regularizer="chi2"),
        "forward_kl_pcb": contextual.random_tabular(3, 4, eta=5.0, seed=1, regularizer="forward_kl"),
        "kl_lin_pcb": LINEAR,
        "kl_finite_pcb": LINEAR,
    },
    ("dueling", "OFFLINE"): {
        "bt_greedy": dueling.bradley_terry([1.0, 0.6, 0.3], eta=5.0),
        "gshf": dueling.bradley_terry([1.0, 0.6, 0.3], eta=5.0),
        "gshf_set": dueling.bradley_terry([1.0, 0.6, 0.3], eta=5.0),
        "nash_plug_in": dueling.rps(eta=2.0),
        "nash_pessimistic": dueling.rps(eta=2.0),
    },
    ("mdps", "OFFLINE"): dict.fromkeys(
        ("plug_in", "pevi", "kl_pevi", "linpevi_adv", "linpevi_adv_plus"), mdps.random_linear(5, 3, 2, 3, eta=5.0)
    ),
    ("games", "OFFLINE"): dict.fromkeys(
        ("plug_in", "pmvi", "kl_pmvi"), games.random_tabular(3, 2, 3, 3, seed=1, eta=5.0)
    ),
    ("contextual", "SELECTIONS"): dict.fromkeys(
        ("best_of_n", "majority_vote", "best_of_majority"), contextual.majority_trap(submissions=2)
    ),
}
FITS = [(family, table, name) for (family, table), known in OFFLINE.items() for name in known]


def families():
    """The package's families, by name."""
    found = [m.name for m in pkgutil.iter_modules(banditlab.__path__) if m.ispkg and m.name not in NOT_FAMILIES]
    return {name: importlib.import_module(f"banditlab.{name}") for name in found}


ALGORITHMS = [(f, name) for f, module in families().items() for name in module.ALGORITHMS]


def constructor_of(family, name):
    return families()[family].ALGORITHMS[name]


# What may be wrong, one line each


def faults(family, name, constructor):
    """Everything that is wrong with an algorithm."""
    chapter = chapter_of(family, name)
    found = list(signature_faults(name, constructor))
    if found:
        return found
    found += documentation_faults(name, constructor)
    learner = constructor(chapter.problem, ROUNDS)
    if not (isinstance(learner, tuple) and hasattr(learner, "_fields")):
        return [*found, f"{name}: returns a {type(learner).__name__}, must return a typing.NamedTuple"]
    found += class_faults(family, name, learner)
    found += field_faults(name, learner)
    found += sharing_faults(name, constructor, chapter.problem)
    found += kernel_faults(name, constructor, chapter)
    found += truth_faults(name, constructor, chapter)
    found += bound_faults(name, constructor, chapter.problem)
    return found


def signature_faults(name, constructor):
    parameters = list(inspect.signature(constructor).parameters.values())
    good = [p.name for p in parameters[:2]] == ["problem", "rounds"]
    good = good and all(p.default is p.empty for p in parameters[:2])
    good = good and all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters[2:])
    if not good:
        yield (
            f"{name}: signature {inspect.signature(constructor)} must be (problem, rounds, *, parameters with defaults)"
        )


def keywords(constructor, positional=2):
    return {n: p.default for n, p in list(inspect.signature(constructor).parameters.items())[positional:]}


def documentation_faults(name, constructor):
    lines = (inspect.getdoc(constructor) or "").splitlines()
    if not lines or not lines[0].endswith(".") or (len(lines) > 1 and lines[1].strip()):
        yield f"{name}: the docstring must begin with a summary of one line that ends with a full stop"
    text = "\n".join(lines)
    references = re.search(r"^References\n-+\n(.+)", text, re.MULTILINE)
    if not references:
        yield f"{name}: the docstring has no section References with an entry"
    for parameter in inspect.signature(constructor).parameters:
        if not re.search(rf"^(\w+, )*{parameter}(, \w+)* :", text, re.MULTILINE):
            yield f"{name}: parameter `{parameter}` is not in the docstring"
    if not (inspect.getmodule(constructor).__doc__ or "").strip():
        yield f"{name}: its module has no docstring"


def class_faults(family, name, learner):
    cls = type(learner)
    if cls.__module__ not in {f"banditlab.{family}.{module}" for module in {name} | CHAPTERS[family].shared}:
        yield f"{name}: its class {cls.__name__} is defined in {cls.__module__}, not in banditlab.{family}.{name}"
    if not (cls.__doc__ or "").strip() or (cls.__doc__ or "").startswith(f"{cls.__name__}("):
        yield f"{name}: its class {cls.__name__} has no docstring"
    forms = importlib.import_module(f"banditlab.{family}.problem").FORMS
    try:
        form = check_verbs(cls, forms)
    except TypeError as error:
        yield f"{name}: {error}"
        return
    for other, verbs in forms.items():
        leading = next(iter(verbs))
        if (
            other != form
            and leading not in forms[form]
            and getattr(cls, leading, None) is not getattr(tuple, leading, None)
        ):
            yield f"{name}: has the verbs of {form} and `{leading}` of {other}; it must be one of them"


def leaves(value, path=""):
    """(path, value) of every field, those of nested NamedTuples included."""
    for field in value._fields:
        x = getattr(value, field)
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            yield from leaves(x, f"{path}{field}.")
        else:
            yield f"{path}{field}", x


def field_faults(name, learner):
    for field, x in leaves(learner):
        if isinstance(x, np.ndarray):
            if x.dtype not in (np.float64, np.int64):
                yield f"{name}: array `{field}` is {x.dtype}, must be float64 or int64"
            if not x.flags.c_contiguous:
                yield f"{name}: array `{field}` is not C-contiguous"
            if not x.flags.writeable:
                yield f"{name}: array `{field}` is read-only"
        elif type(x) not in (float, bool, int):
            yield f"{name}: field `{field}` is a {type(x).__name__}, must be a float, bool, int or array"


def arrays(value):
    return [(field, x) for field, x in leaves(value) if isinstance(x, np.ndarray)]


def sharing_faults(name, constructor, problem):
    first, second = constructor(problem, ROUNDS), constructor(problem, ROUNDS)
    for field, x in arrays(first):
        for other, y in arrays(second):
            if np.shares_memory(x, y):
                yield f"{name}: `{field}` of one learner is `{other}` of another; each needs a fresh array"
        for other, y in arrays(problem):
            if np.shares_memory(x, y):
                yield f"{name}: `{field}` is the problem's `{other}`; a learner needs a fresh array"


def kernel_faults(name, constructor, chapter):
    """A learner whose type depends on the instance makes a second kernel compile silently."""
    wanted = typeof(constructor(chapter.problem, ROUNDS))
    for problem in chapter.others:
        for rounds in (10, 1_000_000):
            found = typeof(constructor(problem, rounds))
            if found != wanted:
                yield f"{name}: compiled as {wanted} on one problem and as {found} on another"
                return


def same(x, y):
    if isinstance(x, np.ndarray):
        return np.array_equal(x, y)
    return x == y


def spoilt(x):
    """NaN in place of every entry, the least integer where it is an array of integers."""
    if isinstance(x, np.ndarray):
        return np.full_like(x, math.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).min)
    return math.nan


def truth_faults(name, constructor, chapter):
    """Verbs see no problem, so what a learner knows it was given at construction."""
    known = {f: getattr(chapter.problem, f) for f in chapter.truth}
    poison = {f: spoilt(x) for f, x in known.items()}
    try:
        blind = constructor(chapter.problem._replace(**poison), ROUNDS)
    except Exception as error:
        yield f"{name}: the constructor reads the truth of the problem ({type(error).__name__}: {error})"
        return
    for (field, x), (_, y) in zip(leaves(constructor(chapter.problem, ROUNDS)), leaves(blind), strict=True):
        if not same(x, y):
            yield f"{name}: field `{field}` depends on the truth of the problem ({', '.join(chapter.truth)})"


def bound_faults(name, constructor, problem):
    bound = getattr(constructor, "bound", None)
    if bound is None:
        return
    parameters = list(inspect.signature(bound).parameters)
    if parameters[:3] != ["problem", "rounds", "checkpoints"]:
        yield f"{name}: `bound({', '.join(parameters)})` must begin with (problem, rounds, checkpoints)"
        return
    missing = set(keywords(constructor)) - set(parameters)
    if missing and not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(bound).parameters.values()):
        yield f"{name}: its bound does not take the parameters {sorted(missing)} of the constructor"
        return
    checkpoints = np.array([1, 10, 100, ROUNDS])
    curve = np.asarray(bound(problem, ROUNDS, checkpoints))
    if curve.shape != checkpoints.shape or not (np.isnan(curve) | (curve >= 0.0)).all():
        yield f"{name}: its bound must be (C,) nonnegative numbers or NaN, found {curve!r}"


def value_in(config, key):
    """A yaml's value; where it names a constructor without parameters (a wrapper's algorithm), that constructor."""
    value = config[key]
    if not hasattr(value, "get") or value.get("_partial_") is not True:
        return value
    made = pytest.importorskip("hydra.utils").instantiate(value)
    return made if made.args or made.keywords else made.func


def config_faults(family, name, constructor, problem, offline=False):
    hydra = pytest.importorskip("hydra.utils")
    omegaconf = pytest.importorskip("omegaconf")
    path = CONFIGS / family / f"{name}.yaml"
    if not path.exists():
        yield f"{name}: experiments/conf/algorithm/{family}/{name}.yaml is missing"
        return
    if path.read_text().splitlines()[0] != f"# @package algorithms.{name}":
        yield f"{name}: its yaml must begin with `# @package algorithms.{name}`"
    config = omegaconf.OmegaConf.load(path)
    if config.get("_target_") != f"banditlab.{family}.{name}" or config.get("_partial_") is not True:
        yield f"{name}: its yaml must have `_target_: banditlab.{family}.{name}` and `_partial_: true`"
        return
    defaults = keywords(constructor, 1 if offline else 2)
    for key in set(config) - {"_target_", "_partial_"}:
        if key not in defaults:
            yield f"{name}: `{key}` in its yaml is no parameter of the constructor"
        elif value_in(config, key) != defaults[key]:
            yield f"{name}: `{key}: {config[key]}` in its yaml, {defaults[key]!r} in the constructor"
    if offline:
        return
    made = hydra.instantiate(config)(problem, ROUNDS)
    if type(made) is not type(constructor(problem, ROUNDS)):
        yield f"{name}: its yaml makes a {type(made).__name__}"


# The package


def test_every_family_is_known_here():
    assert set(families()) == set(CHAPTERS), "a family needs ALGORITHMS and an entry in CHAPTERS of this file"


@pytest.mark.parametrize("family", CHAPTERS)
def test_every_algorithm_file_is_listed(family):
    module = families()[family]
    files = {m.name for m in pkgutil.iter_modules(module.__path__)} - CHAPTERS[family].shared
    listed = dict(module.ALGORITHMS)
    for of, table in OFFLINE:
        if of == family:
            assert set(getattr(module, table)) == set(OFFLINE[of, table])
            listed |= getattr(module, table)
    assert files == set(listed)
    for name, constructor in listed.items():
        assert constructor.__name__ == name and constructor.__module__ == f"banditlab.{family}.{name}"
        assert getattr(module, name) is constructor and name in module.__all__


@pytest.mark.parametrize(("family", "name"), ALGORITHMS)
def test_algorithm_keeps_the_protocol(family, name):
    found = faults(family, name, constructor_of(family, name))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(("family", "name"), ALGORITHMS)
def test_algorithm_has_its_yaml(family, name):
    found = list(config_faults(family, name, constructor_of(family, name), chapter_of(family, name).problem))
    assert not found, "\n" + "\n".join(found)


def fit_of(family, table, name):
    return getattr(families()[family], table)[name], OFFLINE[family, table][name]


@pytest.mark.parametrize(("family", "table", "name"), FITS)
def test_offline_algorithm_keeps_the_protocol(family, table, name):
    fit, problem = fit_of(family, table, name)
    found = list(fit_faults(name, fit)) or [*documentation_faults(name, fit), *data_faults(name, fit, problem)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(("family", "table", "name"), FITS)
def test_offline_algorithm_has_its_yaml(family, table, name):
    fit, problem = fit_of(family, table, name)
    found = list(config_faults(family, name, fit, problem, offline=True))
    assert not found, "\n" + "\n".join(found)


def test_a_broken_fit_is_told_what_is_wrong():
    problem = contextual.random_linear(3, 4, 2, eta=5.0, seed=2)  # its own: a fit here spoils it
    assert list(fit_faults("it", lambda data, scale=1.0: None))
    assert not list(data_faults("it", contextual.plug_in, problem))
    assert "it: changes `reference` of its data" in list(data_faults("it", greedy_with_a_side_effect, problem))
    assert next(data_faults("it", lambda dataset: dataset.counts, problem)).startswith("it: on n = 0: ")


def greedy_with_a_side_effect(dataset):
    policy = contextual.plug_in(dataset)
    dataset.reference[:, 0] += 0.25
    return policy


def fit_faults(name, fit):
    first, *rest = inspect.signature(fit).parameters.values()
    good = first.name in ("dataset", "draws") and first.default is first.empty
    if not (good and all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in rest)):
        yield f"{name}: signature {inspect.signature(fit)} must be (dataset, *, parameters with defaults)"


def data_faults(name, fit, problem):
    """A fit gives a policy for any data, the same for the same data, which it leaves alone."""
    for n in (0, 1, 300):
        data = problem.dataset(n, 1, 0)
        before = [(field, x.copy()) for field, x in arrays(data)]
        try:
            problem.check_fit(fit(data))
        except (TypeError, ValueError) as error:
            yield f"{name}: on n = {n}: {error}"
            return
        for (field, x), (_, y) in zip(before, arrays(data), strict=True):
            if not np.array_equal(x, y):
                yield f"{name}: changes `{field}` of its data"
        pairs = zip(_parts(fit(problem.dataset(n, 1, 0))), _parts(fit(data)), strict=True)
        if not all(np.array_equal(x, y) for x, y in pairs):
            yield f"{name}: gives different policies for the same data"


def _parts(policy):
    """The arrays of a policy: one, or one a player."""
    return policy if isinstance(policy, tuple) else (policy,)


def test_class_names_are_unique_over_the_package():
    # The compiler tells NamedTuple classes apart by name and field types only.
    owners = {}
    for family in CHAPTERS:
        for info in pkgutil.iter_modules(families()[family].__path__):
            module = importlib.import_module(f"banditlab.{family}.{info.name}")
            for cls in vars(module).values():
                if inspect.isclass(cls) and issubclass(cls, tuple) and hasattr(cls, "_fields"):
                    owners.setdefault(cls.__name__, set()).add(f"{cls.__module__}.{cls.__qualname__}")
    assert owners
    doubles = [f"{name} is defined in {' and '.join(sorted(of))}" for name, of in owners.items() if len(of) > 1]
    assert not doubles, "\n" + "\n".join(doubles)


def play(family, name, rounds, seed=1):
    chapter = chapter_of(family, name)
    learner = constructor_of(family, name)(chapter.problem, rounds)
    checkpoints = np.arange(1, rounds + 1)
    return chapter.problem.play(learner, checkpoints, seed, 0, np.zeros(2, np.int64))


def fingerprint(rounds):
    """Bits of a run of every algorithm, as text."""
    runs = {}
    for family, name in ALGORITHMS:
        status, t, channels = play(family, name, rounds)
        runs[f"{family}.{name}"] = [int(status), int(t)]
        runs[f"{family}.{name}"] += [float(x).hex() for key in sorted(channels) for x in channels[key]]
    return json.dumps(runs)


def test_every_algorithm_gives_the_same_bits_without_the_compiler(python):
    code = "import test_protocol; print(test_protocol.fingerprint(24))"
    uncompiled, _ = python(code, NUMBA_DISABLE_JIT=1)
    compiled = json.loads(fingerprint(24))
    different = [name for name in compiled if compiled[name] != uncompiled[name]]
    assert not different and set(compiled) == set(uncompiled)


@pytest.mark.parametrize(("family", "name"), ALGORITHMS)
def test_a_run_is_finite_never_decreases_and_leaves_the_problem_alone(family, name):
    problem = chapter_of(family, name).problem
    before = [(field, x.copy()) for field, x in arrays(problem)]
    status, t, channels = play(family, name, 3000)
    assert (status, t) == (0, 3000)
    regret = channels["regret"]
    assert np.isfinite(regret).all() and (np.diff(regret) >= 0.0).all() and regret[-1] > 0.0
    for (field, x), (_, y) in zip(before, arrays(problem), strict=True):
        np.testing.assert_array_equal(x, y, err_msg=field)
    again = play(family, name, 3000)[2]["regret"]
    np.testing.assert_array_equal(regret, again)
    assert (play(family, name, 3000, seed=2)[2]["regret"] != regret).any()  # control


# Controls: a broken algorithm is told what is wrong with it


class Good(NamedTuple):
    """A learner that keeps the protocol, but for where it is defined."""

    eta: float
    pulls: np.ndarray

    def index(self, a, t):
        return self.eta

    def update(self, t, a, r):
        self.pulls[a] += 1.0


def good(problem, rounds, *, scale=0.5):
    """Nothing is wrong with it.

    Parameters
    ----------
    problem : Bandit
    rounds : int
    scale : float

    References
    ----------
    None (2026).
    """
    return Good(problem.eta, np.zeros(problem.mean.size))


def broken(make=None, **attributes):
    """The constructor `good` with another body, or other attributes."""

    @functools.wraps(good)
    def constructor(problem, rounds, *, scale=0.5):
        return good(problem, rounds) if make is None else make(problem, rounds)

    for name, value in attributes.items():
        setattr(constructor, name, value)
    return constructor


def verbs(**changes):
    """A class as `Good`, with some verbs replaced, or removed where None."""
    members = {"index": Good.index, "update": Good.update} | changes
    base = NamedTuple("Own", Good.__annotations__.items())
    return type("Own", (base,), {"__slots__": (), **{k: v for k, v in members.items() if v is not None}})


SHARED = np.zeros(4)
READ_ONLY = np.zeros(4)
READ_ONLY.flags.writeable = False


def of(cls):
    return lambda problem, rounds: cls(problem.eta, np.zeros(problem.mean.size))


def test_a_good_algorithm_has_no_fault_but_its_place():
    assert faults("bandits", "good", good) == [
        f"good: its class Good is defined in {__name__}, not in banditlab.bandits.good"
    ]


BROKEN = {
    "it: signature (problem, rounds, scale=0.5) must be (problem, rounds, *, parameters with defaults)": (
        lambda problem, rounds, scale=0.5: good(problem, rounds)
    ),
    "it: signature (problem, T) must be (problem, rounds, *, parameters with defaults)": (
        lambda problem, T: good(problem, T)
    ),
    "it: signature (problem, rounds, *, scale) must be (problem, rounds, *, parameters with defaults)": (
        lambda problem, rounds, *, scale: good(problem, rounds)
    ),
    "it: returns a dict, must return a typing.NamedTuple": broken(lambda problem, rounds: {}),
    "it: learner Own has no verb `update(t, a, r)`, required of an index rule": broken(of(verbs(update=None))),
    "it: learner Own has no verb `index(a, t)` or `policy(t, pi, rng)`": broken(of(verbs(index=None))),
    "it: learner Own: `index(t, a)` must be `index(a, t)`": broken(of(verbs(index=lambda self, t, a: 0.0))),
    "it: learner Own: `update(t, arm, r)` must be `update(t, a, r)`": broken(
        of(verbs(update=lambda self, t, arm, r: None))
    ),
    "it: learner Own: `policy(t, pi)` must be `policy(t, pi, rng)`": broken(
        of(verbs(index=None, policy=lambda self, t, pi: None))
    ),
    "it: has the verbs of an index rule and `policy` of a general policy; it must be one of them": broken(
        of(verbs(policy=lambda self, t, pi, rng: None))
    ),
    "it: field `eta` is a float64, must be a float, bool, int or array": broken(
        lambda problem, rounds: Good(np.float64(5.0), np.zeros(4))
    ),
    "it: field `eta` is a NoneType, must be a float, bool, int or array": broken(
        lambda problem, rounds: Good(None, np.zeros(4))
    ),
    "it: field `pulls` is a list, must be a float, bool, int or array": broken(
        lambda problem, rounds: Good(5.0, [0.0, 0.0])
    ),
    "it: array `pulls` is float32, must be float64 or int64": broken(
        lambda problem, rounds: Good(5.0, np.zeros(4, dtype=np.float32))
    ),
    "it: array `pulls` is not C-contiguous": broken(lambda problem, rounds: Good(5.0, np.zeros(8)[::2])),
    "it: array `pulls` is read-only": broken(lambda problem, rounds: Good(5.0, READ_ONLY)),
    "it: `pulls` of one learner is `pulls` of another; each needs a fresh array": broken(
        lambda problem, rounds: Good(5.0, SHARED)
    ),
    "it: `pulls` is the problem's `reference`; a learner needs a fresh array": broken(
        lambda problem, rounds: Good(5.0, problem.reference)
    ),
    "it: field `pulls` depends on the truth of the problem (mean, gap, log_optimal, optimal, value)": broken(
        lambda problem, rounds: Good(5.0, problem.mean * problem.mean)
    ),
    "it: field `eta` depends on the truth of the problem (mean, gap, log_optimal, optimal, value)": broken(
        lambda problem, rounds: Good(float(problem.variance.max()), np.zeros(4))
    ),
    "it: `bound(problem, checkpoints)` must begin with (problem, rounds, checkpoints)": broken(
        bound=lambda problem, checkpoints: checkpoints
    ),
    "it: its bound does not take the parameters ['scale'] of the constructor": broken(
        bound=lambda problem, rounds, checkpoints: checkpoints
    ),
    "it: its bound must be (C,) nonnegative numbers or NaN, found array(1.)": broken(
        bound=lambda problem, rounds, checkpoints, *, scale=0.5: 1.0
    ),
    "it: parameter `scale` is not in the docstring": broken(__doc__="One line.\n\nReferences\n----------\nX.\n"),
    "it: the docstring has no section References with an entry": broken(__doc__="One line.\n"),
    "it: the docstring must begin with a summary of one line that ends with a full stop": broken(__doc__=None),
}


@pytest.mark.parametrize("message", BROKEN)
def test_a_broken_algorithm_is_told_in_one_line(message):
    assert message in faults("bandits", "it", BROKEN[message])
    assert "\n" not in message


def test_a_learner_of_two_kernels_is_found():
    def make(problem, rounds):
        return Good(5.0 if rounds < 100 else 5, np.zeros(problem.mean.size))

    (line,) = [x for x in faults("bandits", "it", broken(make)) if "compiled as" in x]
    assert "Good(int64" in line and "Good(float64" in line


def test_a_missing_yaml_and_a_wrong_one_are_found(monkeypatch, tmp_path):
    problem = CHAPTERS["bandits"].problem
    monkeypatch.setitem(globals(), "CONFIGS", tmp_path)

    def found(text=None):
        if text is not None:
            (tmp_path / "bandits").mkdir(exist_ok=True)
            (tmp_path / "bandits" / "kl_ucb.yaml").write_text(text)
        return list(config_faults("bandits", "kl_ucb", constructor_of("bandits", "kl_ucb"), problem))

    head = "# @package algorithms.kl_ucb\n"
    body = "_target_: banditlab.bandits.kl_ucb\n_partial_: true\n"
    assert found() == ["kl_ucb: experiments/conf/algorithm/bandits/kl_ucb.yaml is missing"]
    assert found(head + body) == []
    assert found(body) == ["kl_ucb: its yaml must begin with `# @package algorithms.kl_ucb`"]
    assert found(head + body.replace("true", "false")) == [
        "kl_ucb: its yaml must have `_target_: banditlab.bandits.kl_ucb` and `_partial_: true`"
    ]
    assert found(head + body + "scale: 0.7\n") == ["kl_ucb: `scale: 0.7` in its yaml, 0.5 in the constructor"]
