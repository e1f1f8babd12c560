"""The compiled core: the `jit` decorator, protocol verbs, and a cache keyed on the package's sources.

This is the only file that touches numba's internals. A learner is a ``typing.NamedTuple`` whose verbs
(``index``, ``update``, ``policy``, ...) are plain methods, which a compiled loop calls by name. Two properties of
numba make care necessary:

* its on-disk cache does not notice an edit in *another* file, so a stale kernel would run silently. Here the
  cache folder is named by a digest of the package's numerical sources, and old folders are pruned;
* it tells NamedTuple classes apart by name and field types only, so a class redefined in a notebook cell would run
  the old code. `localize` therefore renames every class from outside the package after a digest of its verbs and
  of all that they use, and such classes never reach the disk cache.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import functools
import hashlib
import importlib
import inspect
import math
import os
import pickle
import struct
import sys
import sysconfig
import tempfile
import threading
import types as python_types
import uuid
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import types
from numba._dispatcher import compute_fingerprint
from numba.core.base import OverloadSelector, user_function
from numba.core.caching import CompileResultCacheImpl, _Cache
from numba.core.registry import CPUDispatcher
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_builtin,
    models,
    register_model,
    type_callable,
    typeof_impl,
    unbox,
)

__all__ = ["DISABLED", "digest", "jit", "jit_apart", "localize", "sources_digest", "statistics"]

DISABLED: bool = bool(numba.config.DISABLE_JIT)
"""True when ``NUMBA_DISABLE_JIT=1``: the same code then runs as ordinary Python, with the same bits."""

VERBS = (
    *("index", "update", "refresh", "policy", "duel", "plan", "estimate"),  # of learners
    *("gap_of", "plug_in_gap_of", "predict", "uncertainty", "draw", "due", "settle"),  # of states within them
)
OPTIONAL = ("refresh", "estimate")
APART = ("plan",)  # verbs of so much work that they are called by address: see `jit_apart`
KEPT_FOLDERS = 4  # cache folders kept per user: the newest versions of the sources in use

# Files that no simulated number depends on: editing them neither recompiles kernels nor invalidates stored shards.
_PRESENTATION = {
    "__init__.py",
    "__main__.py",
    "catalog.py",
    "cli.py",
    "cluster.py",
    "collect.py",
    "launchers.py",
    "figures.py",
    "rates.py",
    "report.py",
    "store.py",
    "trajectory.py",
}


# ---------------------------------------------------------------------------------------------------------------
# What the numbers depend on
# ---------------------------------------------------------------------------------------------------------------


def sources_digest() -> str:
    """Digest of the numerical sources of this package as they were imported (hex, 16 characters).

    It names the compilation cache's folder and enters the key of every stored shard. Presentation (figures, rates,
    claims, the command) does not enter.
    """
    return _IMPORTED


def _digest_of_files() -> str:
    root = Path(__file__).parent
    h = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name in _PRESENTATION or name.startswith("claims/"):
            continue
        h.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return h.hexdigest()[:16]


_IMPORTED = _digest_of_files()  # now: a file edited after this process imported it must not name what it compiles


def in_package(module: str | None) -> bool:
    """Whether a module's name lies in this package."""
    return module is not None and module.partition(".")[0] == __name__.partition(".")[0]


@functools.cache
def _is_library(module: str) -> bool:
    """Whether a module is installed code (standard library, site-packages or this package), not the user's own."""
    if in_package(module) or module == "builtins":
        return True
    if module == "__main__":
        return False
    loaded = sys.modules.get(module)
    origin = getattr(loaded, "__file__", None) if loaded else None
    if origin is None:
        return module in sys.builtin_module_names or module.partition(".")[0] in sys.stdlib_module_names
    roots = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(origin.startswith(root) for root in roots if root)


def digest(value: Any) -> str:
    """Digest (hex, 16 characters) of a value, function or class, including the user code and globals it reaches.

    Functions are digested by bytecode, constants, defaults, closure and the globals they name, recursively; installed
    code is digested by its name (and its package's version). The digest is the same in another process of the same
    Python version.

    Parameters
    ----------
    value : object
        A function, class, ``functools.partial``, array, scalar, container or NamedTuple instance.
    """
    h = hashlib.sha256()
    for token in _tokens(value, {}):
        h.update(token.encode() if isinstance(token, str) else token)
        h.update(b"\0")
    return h.hexdigest()[:16]


def _tokens(value: Any, seen: dict[int, Any]) -> Iterator[str | bytes]:
    """The stream of texts and bytes that identifies a value; `seen` keeps the objects entered alive, by their id."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic):
        yield f"{type(value).__name__}:{value!r}"
        return
    if isinstance(value, np.ndarray):
        yield f"array:{value.dtype}:{value.shape}"
        yield np.ascontiguousarray(value).tobytes()
        return
    if id(value) in seen:
        yield f"seen:{list(seen).index(id(value))}"
        return
    seen[id(value)] = value
    if isinstance(value, functools.partial):
        yield "partial"
        yield from _tokens([value.func, value.args, value.keywords], seen)
    elif hasattr(value, "py_func"):
        yield from _tokens(value.py_func, seen)
    elif isinstance(value, python_types.FunctionType | python_types.MethodType):
        yield from _function_tokens(value, seen)
    elif isinstance(value, python_types.CodeType):
        yield value.co_code
        yield repr(value.co_names)
        yield from _tokens(list(value.co_consts), seen)
    elif isinstance(value, python_types.ModuleType):
        yield f"module:{value.__name__}:{getattr(value, '__version__', '')}"
    elif isinstance(value, type):
        yield f"class:{value.__module__}.{value.__qualname__}"
        if not _is_library(value.__module__):
            yield repr(getattr(value, "_fields", ()))
            yield from _tokens(getattr(value, "_field_defaults", {}), seen)
            for base in value.__bases__:
                yield from _tokens(base, seen)
            for name, member in sorted(vars(value).items()):
                if name == "__new__" and hasattr(value, "_fields"):  # generated, from what is digested already
                    continue
                if callable(member) or not name.startswith("_"):
                    yield name
                    yield from _tokens(member, seen)
    elif isinstance(value, dict):
        for key in sorted(value, key=repr):
            yield repr(key)
            yield from _tokens(value[key], seen)
    elif isinstance(value, set | frozenset):
        yield from sorted(map(repr, value))
    elif isinstance(value, list | tuple):
        yield f"{type(value).__name__}:{len(value)}"
        if hasattr(value, "_fields"):
            yield from _tokens(type(value), seen)
        for item in value:
            yield from _tokens(item, seen)
    elif _is_library(getattr(type(value), "__module__", "") or ""):
        name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
        yield f"library:{type(value).__qualname__}:{name}"
    else:
        yield from _tokens([type(value), vars(value) if hasattr(value, "__dict__") else pickle.dumps(value)], seen)


def _function_tokens(function: Any, seen: dict[int, Any]) -> Iterator[str | bytes]:
    if isinstance(function, python_types.MethodType):
        yield from _tokens(function.__self__, seen)
        function = function.__func__
    module = function.__module__ or ""
    yield f"function:{module}.{function.__qualname__}"
    if _is_library(module):
        return
    yield from _tokens(function.__code__, seen)
    yield from _tokens([function.__defaults__, function.__kwdefaults__ or {}], seen)
    for cell in function.__closure__ or ():
        yield from _tokens(cell.cell_contents, seen)
    names = _names(function.__code__)
    for name in names:
        if name in function.__globals__:
            yield name
            yield from _used_tokens(function.__globals__[name], names, seen)


def _used_tokens(used: Any, names: list[str], seen: dict[int, Any]) -> Iterator[str | bytes]:
    """A global's tokens; of a user's module also those of its attributes, and its submodules', that are named."""
    yield from _tokens(used, seen)
    if isinstance(used, python_types.ModuleType) and not _is_library(used.__name__):
        for name in names:
            if hasattr(used, name) and getattr(used, name) is not used:
                yield name
                yield from _used_tokens(getattr(used, name), names, seen)


def _names(code: python_types.CodeType) -> list[str]:
    """Every global or attribute name that a code object or one nested in it mentions."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, python_types.CodeType):
            names.update(_names(constant))
    return sorted(names)


# ---------------------------------------------------------------------------------------------------------------
# The cache on disk
# ---------------------------------------------------------------------------------------------------------------

_counts = {"compiled": 0, "loaded": 0}
_lock = threading.Lock()


def statistics() -> dict[str, int]:
    """Kernels compiled by this process and kernels it loaded from the cache on disk."""
    return dict(_counts)


@functools.cache
def cache_folder() -> Path | None:
    """Folder of this version's compiled kernels, or None (with one warning) where nothing can be written.

    ``BANDITLAB_CACHE`` moves it; the default is the user's cache folder (``XDG_CACHE_HOME``, else ``~/.cache``).
    """
    given = os.environ.get("BANDITLAB_CACHE")
    root = Path(given or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "banditlab")
    version = f"py{sys.version_info.major}{sys.version_info.minor}-numba{numba.__version__}"
    try:
        root = root if given else root.expanduser()
        folder = root / f"{sources_digest()}-{version}"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        os.utime(folder)
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home folder
        reason = getattr(error, "strerror", None) or error
        warnings.warn(
            f"kernels are compiled anew in every process: cache folder {root} cannot be written "
            f"({reason}); set BANDITLAB_CACHE to a folder that can",
            stacklevel=2,
        )
        return None
    _prune(root, folder)
    return folder


def _prune(root: Path, current: Path) -> None:
    """Remove all but the most recently used cache folders; a process still using one merely compiles again."""
    import shutil

    def used(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:  # another process pruned it
            return 0.0

    old = [p for p in root.glob("*-py*-numba*") if p != current and p.is_dir()]
    for path in sorted(old, key=used, reverse=True)[KEPT_FOLDERS - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


class _SourceKeyedCache(_Cache):
    """One file per (kernel, signature, machine), written by atomic rename: any number of processes may share it.

    numba's own index file numbers its entries, and two processes that compile different signatures of one loop at
    once can give both the same number; here the file's name is a digest of the whole key, and there is no index.
    """

    def __init__(self, py_func: Callable[..., Any], kind: str) -> None:
        self._function = py_func
        self._kind = kind

    @property
    def cache_path(self) -> str | None:
        folder = cache_folder()
        return None if folder is None else str(folder)

    def _file(self, signature: Any, codegen: Any) -> Path | None:
        arguments = tuple(signature)
        if any(_is_foreign(t) for t in arguments):
            return None  # a user's class: compiled once a process, never on disk
        folder = cache_folder()
        if folder is None:
            return None
        f = self._function
        key = repr(
            (self._kind, f.__module__, f.__qualname__, str(arguments), _modules(arguments), codegen.magic_tuple())
        )
        return folder / f"{f.__name__}-{hashlib.sha256(key.encode()).hexdigest()[:24]}.kernel"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        path = self._file(sig, target_context.codegen())
        if path is None or not path.exists():
            return None
        try:
            data = path.read_bytes()
            if hashlib.sha256(data[32:]).digest() != data[:32]:
                raise ValueError("digest")
            called_apart, payload = pickle.loads(data[32:])
            for module, name, signature in called_apart:  # their addresses, before this kernel is linked
                _named(module, name).compile(signature)
            result = CompileResultCacheImpl.rebuild(None, target_context, payload)
        except Exception:  # pruned by another process, or damaged: compile again
            return None
        with _lock:
            _counts["loaded"] += 1
        return result

    def save_overload(self, sig: Any, cres: Any) -> None:
        with _lock:
            _counts["compiled"] += 1
        path = self._file(sig, cres.codegen)
        if path is None or cres.lifted or cres.library.has_dynamic_globals:
            return
        if _digest_of_files() != _IMPORTED:  # edited since: whether this process has the old or the new is unknown
            return
        from numba.core.serialize import dumps

        names = {f.name for f in cres.library._final_module.functions if f.is_declaration}
        called_apart = [_apart[name] for name in sorted(names & set(_apart))]
        data = dumps((called_apart, CompileResultCacheImpl.reduce(None, cres)))
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            temporary.write_bytes(hashlib.sha256(data).digest() + data)
            os.replace(temporary, path)
        except OSError:  # disk full, folder pruned meanwhile: the kernel in memory is good, only not kept
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def enable(self) -> None: ...

    def disable(self) -> None: ...

    def flush(self) -> None: ...


def _instance_classes(arguments: Any) -> Iterator[type]:
    """The NamedTuple classes in numba argument types, nested ones included."""
    for t in arguments:
        if isinstance(t, _PackedType):
            yield from _instance_classes([t.inner])
        if isinstance(t, types.BaseTuple):
            if isinstance(t, types.BaseNamedTuple):
                yield t.instance_class
            yield from _instance_classes(t.types if hasattr(t, "types") else [t.dtype])


def _is_foreign(argument: Any) -> bool:
    return any(not in_package(c.__module__) for c in _instance_classes([argument]))


def _modules(arguments: Any) -> list[str]:
    return [f"{c.__module__}.{c.__qualname__}" for c in _instance_classes(arguments)]


def _njit(function: Callable[..., Any], **options: bool) -> Any:
    """Numba's compiler as used here.

    The package's own kernels allocate nothing and do without reference counting (``_nrt=False``), which halves the
    time of a round; users' code may allocate.
    """
    nrt = not in_package(function.__module__)
    return numba.njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, _nrt=nrt, **options)(function)


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function for use in loops and verbs (numba, nopython, releasing the GIL).

    Functions of this package are cached on disk under the digest of its sources; a user's own are compiled once a
    process. With ``NUMBA_DISABLE_JIT=1`` the function is returned as it is and gives the same bits.

    Parameters
    ----------
    function : callable
        Plain loops over scalars and preallocated arrays; products rather than powers, no array expressions.
    """
    if DISABLED or not in_package(function.__module__):
        return _njit(function)
    kernel = _njit(function, no_cpython_wrapper=True)
    kernel._cache = _SourceKeyedCache(function, "kernel")
    kernel.__class__ = _Kernel
    return kernel


class _Kernel(CPUDispatcher):
    """A function of this package: kernels call it as it is; a call from Python compiles its form with a wrapper.

    The wrapper takes arguments out of Python's objects. With learners of dozens of arrays it was a third of all
    compilation, for functions that only kernels call.
    """

    def __call__(self, *args: Any) -> Any:
        entry = self.__dict__.get("entry")
        if entry is None:
            with _lock:
                entry = self.__dict__.get("entry")
                if entry is None:
                    entry = _njit(self.py_func)
                    entry._cache = _SourceKeyedCache(self.py_func, "entry")
                    self.entry = entry
        return entry(*args)


def jit_apart(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `jit`, for a large function that is called rarely: it is compiled once, and no caller optimises it again.

    Numba links what a kernel calls into the kernel, and optimises all of it anew at every level of calls; a solver of
    games, which takes seconds, was compiled for itself, for the learner and for the loop. A function apart is called
    by its address instead, under a name that is the same in every process: kernels from the cache on disk find it
    there, because they name what they call so and it is loaded before them.

    Parameters
    ----------
    function : callable
        As of `jit`, and part of this package; its call is never inlined and costs some nanoseconds, and for a
        NamedTuple of n arrays those of writing about 7 n words.
    """
    compiled = jit(function)
    if not DISABLED:
        _call_by_address(compiled)
    return compiled


def _call_by_address(compiled: Any) -> None:
    """Make kernels call a dispatcher's functions by the symbols under which their addresses are known."""
    function = compiled.py_func
    add_overload = compiled.add_overload

    def add(cres: Any) -> None:
        add_overload(cres)
        arguments = tuple(cres.signature.args)
        # callers with a user's class are not kept on disk, and two classes may be called the same
        number = len(_apart) if any(_is_foreign(t) for t in arguments) else 0
        key = repr((str(arguments), _modules(arguments), number))
        name = f"apart.{function.__module__}.{function.__qualname__}.{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        llvm.add_symbol(name, cres.library.get_pointer_to_function(cres.fndesc.llvm_func_name))
        _apart[name] = (function.__module__, function.__qualname__, arguments)
        descriptor = copy.copy(cres.fndesc)
        descriptor.mangled_name = name
        call = user_function(descriptor, ())
        selector = OverloadSelector()
        selector.append(call, call.signature)
        compiled.targetctx._defns[cres.entry_point] = selector

    compiled.add_overload = add


def _named(module: str, name: str) -> Any:
    """The dispatcher of a function or verb of this package."""
    found = functools.reduce(getattr, name.split("."), importlib.import_module(module))
    found = getattr(found, "loop", found)
    return found if hasattr(found, "py_func") else _compiled_verb(found)


_apart: dict[str, tuple[str, str, Any]] = {}  # by symbol: module, name and argument types of a function apart


# ---------------------------------------------------------------------------------------------------------------
# NamedTuples as arguments of loops
# ---------------------------------------------------------------------------------------------------------------


class _Packed:
    """A NamedTuple laid out in memory as compiled code has it."""

    __slots__ = ("address", "memory", "type", "value")

    def __init__(self, value: Any, packed: Any, layout: str) -> None:
        self.value = value  # keeps its arrays alive
        self.type = packed
        self.memory = ctypes.create_string_buffer(struct.pack(layout, *_words(value)))
        self.address = ctypes.addressof(self.memory)


class _PackedType(types.Type):
    """Numba's type of a `_Packed`."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        super().__init__(f"packed({inner})")


@typeof_impl.register(_Packed)
def _typeof_packed(value, c):  # type: ignore[no-untyped-def]
    return value.type


@register_model(_PackedType)
class _PackedModel(models.OpaqueModel):
    """A pointer."""


@unbox(_PackedType)
def _unbox_packed(t, packed, c):  # type: ignore[no-untyped-def]
    address = c.pyapi.object_getattr_string(packed, "address")
    pointer = c.pyapi.long_as_voidptr(address)
    c.pyapi.decref(address)
    return NativeValue(pointer)


def _unpack(packed):  # type: ignore[no-untyped-def]
    """An argument of a loop, as it was before `_pack`."""
    return packed


@type_callable(_unpack)
def _type_unpack(context):  # type: ignore[no-untyped-def]
    return lambda packed: packed.inner if isinstance(packed, _PackedType) else packed


@lower_builtin(_unpack, types.Any)
def _lower_unpack(context, builder, signature, args):  # type: ignore[no-untyped-def]
    if not isinstance(signature.args[0], _PackedType):
        return args[0]
    inner = signature.return_type
    pointer = builder.bitcast(args[0], context.get_data_type(inner).as_pointer())
    return context.unpack_value(builder, inner, pointer)


def jit_loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `jit`, for a loop that Python calls with problems and learners and that no kernel calls.

    Numba takes a tuple apart in Python's terms, field by field, in code that it generates for each type: for a learner
    and a problem of twenty arrays each as much as the loop itself. Here they come as pointers, see `_pack`. Where they
    are of few arrays, as those of bandits are, `jit` compiles faster.

    Parameters
    ----------
    function : callable
        As of `jit`, and part of this package; arguments that are NamedTuples are of floats, integers, booleans, arrays
        and NamedTuples.
    """
    if DISABLED:
        return function
    loop = _njit(function, no_cpython_wrapper=True)
    loop._cache = _SourceKeyedCache(function, "kernel")
    _call_by_address(loop)
    name = function.__name__
    arguments = list(inspect.signature(function).parameters)
    unpacked = ", ".join(f"unpack({x})" for x in arguments)
    namespace = {"__name__": function.__module__, "loop": loop, "unpack": _unpack}
    exec(f"def {name}({', '.join(arguments)}):\n    return loop({unpacked})\n", namespace)
    namespace[name].__qualname__ = f"{function.__qualname__}.entry"
    entry = jit(namespace[name])

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        return entry(*(_pack(x) if hasattr(x, "_fields") else x for x in arguments))

    call.loop = loop  # type: ignore[attr-defined]
    return call


def _pack(value: Any) -> Any:
    """A NamedTuple as a pointer; the value itself where it has fields of unusual types. Arrays are not copied."""
    try:
        fingerprint = compute_fingerprint(value)
    except NotImplementedError:
        return value
    if fingerprint not in _layouts:
        inner = numba.typeof(value)
        _layouts[fingerprint] = _PackedType(inner), _layout(inner)
    packed, layout = _layouts[fingerprint]
    return value if layout is None else _Packed(value, packed, layout)


def _layout(t: Any) -> str | None:
    """Format, as of `struct.pack`, of a value of numba type t; None for a type that is not provided for."""
    if t in _SCALARS:
        return _SCALARS[t]
    if isinstance(t, types.Array):
        return f"{5 + 2 * t.ndim}q"
    if not isinstance(t, types.BaseTuple) or not t.count:
        return None
    parts = [_layout(of) for of in t]
    if None in parts:
        return None
    layout = "".join(parts)  # type: ignore[arg-type]
    # 0q: a struct with a field of eight bytes begins and ends at a multiple of eight
    return layout if set(layout) == {"?"} else f"0q{layout}0q"


def _words(value: Any) -> Iterator[Any]:
    """What is written for a value: of an array reference counts (none), sizes, address, shape and strides."""
    for x in value:
        if isinstance(x, np.ndarray):
            yield from (0, 0, x.size, x.itemsize, x.__array_interface__["data"][0], *x.shape, *x.strides)
        elif isinstance(x, tuple):
            yield from _words(x)
        else:
            yield x


_layouts: dict[bytes, tuple[Any, str | None]] = {}
_SCALARS = {types.float64: "d", types.int64: "q", types.boolean: "?"}


# ---------------------------------------------------------------------------------------------------------------
# Verbs
# ---------------------------------------------------------------------------------------------------------------


@functools.cache
def _compiled_verb(method: Callable[..., Any]) -> Any:
    """A verb's dispatcher: one per function object, so a redefined class is a new function."""
    compiled = _njit(method, no_cpython_wrapper=True)
    if method.__name__ in APART and in_package(method.__module__):
        compiled._cache = _SourceKeyedCache(method, "kernel")
        _call_by_address(compiled)
    return compiled


@infer_getattr
class _Verbs(AttributeTemplate):
    """Type inference of ``learner.verb(...)``.

    `numba.extending.overload_method` would do, were it not that one verb has different numbers of arguments in
    different families: it takes the arguments' number from a single Python signature.
    """

    key = types.BaseNamedTuple

    def generic_resolve(self, learner: Any, attr: str) -> Any:
        if attr not in VERBS or attr in learner.fields or not hasattr(learner.instance_class, attr):
            return None
        method = getattr(learner.instance_class, attr)
        verb = types.Dispatcher(_compiled_verb(method))

        class Template(AbstractTemplate):
            key = (types.BaseNamedTuple, attr)

            def generic(self, args, kws):  # type: ignore[no-untyped-def]
                return verb.get_call_type(self.context, (learner, *args), kws).as_method()

        return types.BoundFunction(Template, learner)


def _lower_verb(verb: str) -> None:
    def lower(context, builder, signature, args):  # type: ignore[no-untyped-def]
        dispatcher = types.Dispatcher(_compiled_verb(getattr(signature.args[0].instance_class, verb)))
        signature = dispatcher.get_call_type(context.typing_context, signature.args, {})
        call = context.get_function(dispatcher, signature)
        context.add_linking_libs(getattr(call, "libs", ()))
        return call(builder, args)

    lower_builtin((types.BaseNamedTuple, verb), types.BaseNamedTuple, types.VarArg(types.Any))(lower)


for _name in VERBS:
    _lower_verb(_name)


def optional(verb: str, otherwise: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Make a function of a ``learner`` one that calls `otherwise` for a learner without a verb.

    Which of the two is settled by the learner's class, so that kernels are rid of what their learner has not.

    Parameters
    ----------
    verb : str
        One of `VERBS`.
    otherwise : callable
        Jitted, of those arguments that are no NamedTuples: it is compiled once for all learners, with the same type of
        result.
    """

    def optional(function: Callable[..., Any]) -> Callable[..., Any]:
        place = list(inspect.signature(function).parameters).index("learner")

        @functools.wraps(function)
        def chosen(*arguments: Any) -> Any:
            if has_verb(type(arguments[place]), verb):
                return function(*arguments)
            return otherwise(*(x for x in arguments if not hasattr(x, "_fields")))

        if DISABLED:
            return chosen
        compiled = function if hasattr(function, "py_func") else _njit(function, no_cpython_wrapper=True)

        def resolve(signature_args: Any) -> tuple[Any, list[int]]:
            has = has_verb(signature_args[place].instance_class, verb)
            kept = [i for i, t in enumerate(signature_args) if has or not isinstance(t, types.BaseNamedTuple)]
            return types.Dispatcher(compiled if has else otherwise), kept

        class Template(AbstractTemplate):
            key = chosen

            def generic(self, args, kws):  # type: ignore[no-untyped-def]
                dispatcher, kept = resolve(args)
                of = dispatcher.get_call_type(self.context, [args[i] for i in kept], {})
                return of.replace(args=args, pysig=None)

        def lower(context, builder, signature, args):  # type: ignore[no-untyped-def]
            dispatcher, kept = resolve(signature.args)
            of = dispatcher.get_call_type(context.typing_context, [signature.args[i] for i in kept], {})
            call = context.get_function(dispatcher, of)
            context.add_linking_libs(getattr(call, "libs", ()))
            return call(builder, [args[i] for i in kept])

        infer_global(chosen, types.Function(Template))
        lower_builtin(chosen, types.VarArg(types.Any))(lower)
        return chosen

    return optional


@jit
def _never(t):  # type: ignore[no-untyped-def]
    return False


@optional("refresh", _never)
def needs_refresh(learner, t):  # type: ignore[no-untyped-def]
    """The optional verb ``refresh(t)`` of an index rule; False for a learner that has none."""
    return learner.refresh(t)


@jit
def _unknown(s):  # type: ignore[no-untyped-def]
    return math.nan


@optional("estimate", _unknown)
def estimated(learner, s):  # type: ignore[no-untyped-def]
    """The optional verb ``estimate(s)`` of an episodic learner; NaN for a learner that has none."""
    return learner.estimate(s)


def localize(learner: Any) -> Any:
    """The learner under a class name that no other code shares, ready for a compiled loop.

    Classes of this package are returned as they are. A class from outside is subclassed under a name that carries its
    module and the digest of its verbs, so that a redefined notebook cell or a namesake in another module is a new
    type to the compiler. Nested learners are treated alike.

    Parameters
    ----------
    learner : NamedTuple
        A learner or a state; its fields may be NamedTuples.
    """
    fields = [localize(x) if isinstance(x, tuple) and hasattr(x, "_fields") else x for x in learner]
    cls = type(learner)
    if not in_package(cls.__module__):
        cls = _renamed(cls, digest(cls))  # type: ignore[arg-type]
    return cls(*fields)


_helper_code: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


def _forget_stale_helpers(cls: type) -> None:
    """Compile anew the user helpers whose code, or a global that it reads, changed since they were compiled."""
    seen: dict[int, Any] = {}
    for _ in _tokens(cls, seen):
        pass
    for helper in list(seen.values()):
        if hasattr(helper, "py_func") and not _is_library(helper.py_func.__module__ or ""):
            code = digest(helper)
            if _helper_code.get(helper) != code:
                helper.recompile()
                _helper_code[helper] = code


@functools.cache
def _renamed(cls: type, code: str) -> type:
    _forget_stale_helpers(cls)
    name = f"{cls.__name__}_{cls.__module__}_{code}".replace(".", "_")
    return type(name, (cls,), {"__slots__": (), "__module__": cls.__module__})


def _verb(cls: type, name: str) -> Callable[..., Any] | None:
    """The method of that name, if the class has one of its own (every tuple has an ``index``, and fields are none)."""
    method = getattr(cls, name, None)
    return None if method is getattr(tuple, name, None) or name in getattr(cls, "_fields", ()) else method


def has_verb(cls: type, name: str) -> bool:
    """Whether a learner's class has a verb of that name: a method, not a field."""
    return _verb(cls, name) is not None


def check_verbs(cls: type, forms: dict[str, dict[str, tuple[str, ...]]]) -> str:
    """Which protocol form a learner follows, after checking its verbs' names and arguments.

    Parameters
    ----------
    cls : type
        The learner's class.
    forms : dict
        For each form its required verbs and their arguments without ``self``, most specific first.

    Returns
    -------
    str
        The name of the first form whose leading verb the learner has.

    Raises
    ------
    TypeError
        In one line: what is missing or misnamed, and what is expected.
    """
    name = cls.__name__
    if not (issubclass(cls, tuple) and hasattr(cls, "_fields")):
        raise TypeError(f"learner: expected a typing.NamedTuple with verbs, got {name}")
    for form, verbs in forms.items():
        if _verb(cls, next(iter(verbs))) is None:
            continue
        for verb, arguments in verbs.items():
            method = _verb(cls, verb)
            if method is None and verb in OPTIONAL:
                continue
            wanted = f"{verb}({', '.join(arguments)})"
            if method is None:
                raise TypeError(f"learner {name} has no verb `{wanted}`, required of {form}")
            given = tuple(inspect.signature(method).parameters)[1:]
            if given != arguments:
                raise TypeError(f"learner {name}: `{verb}({', '.join(given)})` must be `{wanted}`")
        return form
    choices = " or ".join(f"`{v}({', '.join(a)})`" for v, a in (next(iter(f.items())) for f in forms.values()))
    raise TypeError(f"learner {name} has no verb {choices}")
