"""The engine's kernels: machine code that set-up made, and numba where there is none.

Importing numba and reading its cache takes most of a second, and a run over a small
panel takes less. So `freeze` keeps the machine code of all kernels in one file, with
the names of what it needs, and a run loads that with llvmlite alone. Whatever the file
does not hold (another processor, changed sources, arrays of another type) numba
compiles, as if there were no file.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import os
import pickle
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np

_ALIGNED_WRITEABLE = 0x100 | 0x400
BLAS = "scipy.linalg.cython_blas"
Key = tuple[Any, ...]
_lock = threading.RLock()
_kernels: list[Kernel] = []


class Kernel:
    """A compiled function. numba sees its dispatcher, Python calls machine code."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self.options = options
        self.called: dict[Key, tuple[Any, ...]] = {}
        """By key, the numba types of calls that numba answered."""
        self._entries: dict[Key, Callable[..., Any]] = {}

    def __call__(self, *args: Any) -> Any:
        key = _key(args)
        entry = self._entries.get(key)
        if entry is None:
            with _lock:
                entry = self._entries[key] = self._entry(key, args)
        return entry(*args)

    def _entry(self, key: Key, args: tuple[Any, ...]) -> Callable[..., Any]:
        frozen = _frozen()
        entry = frozen.entry(self.name, key) if frozen else None
        if entry is not None:
            return entry
        dispatcher = self.dispatcher
        types = tuple(dispatcher.typeof_pyval(value) for value in args)
        if types not in dispatcher.overloads:
            dispatcher.compile(types)
        self.called[key] = types
        found: Callable[..., Any] = dispatcher.overloads[types].entry_point
        return found

    @property
    def name(self) -> str:
        return f"{self.py_func.__module__}.{self.py_func.__qualname__}"

    @functools.cached_property
    def dispatcher(self) -> Any:
        with _lock:
            return _numba().njit(**self.options)(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        """What numba asks of a global that a kernel calls."""
        return self.dispatcher._numba_type_


def njit(**options: Any) -> Callable[[Callable[..., Any]], Kernel]:
    """As numba's, but numba is imported when it is needed."""

    def decorate(function: Callable[..., Any]) -> Kernel:
        kernel = Kernel(function, options)
        _kernels.append(kernel)
        return kernel

    return decorate


def _key(args: tuple[Any, ...]) -> Key:
    return tuple([_kind(value) for value in args])


def _kind(value: Any) -> Any:
    """What the compiled type of an argument depends on."""
    if isinstance(value, np.ndarray):
        flags = value.flags.num
        layout = flags & 1 or flags & 2
        return value.dtype.num, value.ndim, layout, flags & _ALIGNED_WRITEABLE
    if isinstance(value, tuple):
        return (type(value), *[_kind(part) for part in value])
    return type(value)


@functools.cache
def _numba() -> Any:
    """numba, imported without what it does not need.

    Where SciPy is installed numba imports scipy.linalg (half a second) just to learn
    whether matrix products can be compiled. None are here, so it is told they cannot.
    The same for coverage, which it would tell of compiled lines.
    """
    hidden = [name for name in (BLAS, "coverage") if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment] # means: not there
    try:
        import numba
        from numba.core.registry import cpu_target

        cpu_target.typing_context.refresh()
        cpu_target.target_context.refresh()
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
    return numba


@dataclass
class _Code:
    """One kernel's machine code for one list of types."""

    symbol: str
    module: str
    name: str
    environments: list[tuple[str, str, list[Any]]]
    """Name of the variable that holds it, module of its globals, constants."""
    code: bytes


class _Frozen:
    """Machine code from the file, linked into this process when first called."""

    def __init__(self, codes: dict[tuple[str, Key], _Code]) -> None:
        self.codes = codes
        self._kept: list[Any] = []
        extensions = _extensions()
        self._dynfunc = extensions["_dynfunc"]
        _add_symbols(extensions)
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        target = llvm.Target.from_triple(llvm.get_process_triple())
        machine = target.create_target_machine(jit=True)
        module = llvm.parse_assembly("")
        self._engine = llvm.create_mcjit_compiler(module, machine)

    def entry(self, name: str, key: Key) -> Callable[..., Any] | None:
        code = self.codes.get((name, key))
        if code is None:
            return None
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code.code))
        self._engine.finalize_object()
        own = None
        for variable, module, constants in code.environments:
            namespace = vars(sys.modules[module]) if module in sys.modules else {}
            environment = self._dynfunc.Environment(namespace)
            environment.consts[:] = constants
            self._kept.append(environment)
            own = own or environment
            place = self._engine.get_global_value_address(variable)
            ctypes.c_void_p.from_address(place).value = id(environment)
        address = self._engine.get_function_address(code.symbol)
        entry: Callable[..., Any] = self._dynfunc.make_function(
            sys.modules[code.module], code.name, "", address, own, (self._engine,)
        )
        return entry


def _extensions() -> dict[str, Any]:
    """numba's C helpers, loaded without numba: its `__init__` is what takes the time.

    They get the names under which numba would import them, so that it finds them.
    """
    spec = importlib.util.find_spec("numba")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("numba is not installed")
    root = Path(spec.submodule_search_locations[0])
    loaded = {}
    for name in ("_helperlib", "_dynfunc", "core.runtime._nrt_python"):
        full = f"numba.{name}"
        if full not in sys.modules:
            path = root.joinpath(*name.split(".")).with_suffix(EXTENSION_SUFFIXES[0])
            found = importlib.util.spec_from_file_location(full, path)
            if found is None or found.loader is None:
                raise ImportError(full)
            sys.modules[full] = importlib.util.module_from_spec(found)
            found.loader.exec_module(sys.modules[full])
        loaded[name.rpartition(".")[2]] = sys.modules[full]
    return loaded


def _add_symbols(extensions: dict[str, Any]) -> None:
    """The names that numba's machine code calls, as numba itself adds them."""
    llvm.add_symbol("_Py_NoneStruct", id(None))
    for helpers in ("_helperlib", "_dynfunc"):
        for name, address in extensions[helpers].c_helpers.items():
            llvm.add_symbol(f"numba_{name}", address)
    for name, address in extensions["_nrt_python"].c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
    for value in vars(sys.modules["builtins"]).values():
        if isinstance(value, type) and issubclass(value, BaseException):
            llvm.add_symbol(f"PyExc_{value.__name__}", id(value))
    extensions["_nrt_python"].memsys_use_cpython_allocator()
    # numba's own would import numba to unpickle the type of a returned array.
    address = ctypes.cast(_unpickle_from_c, ctypes.c_void_p).value
    llvm.add_symbol("numba_unpickle", address)


def _unpickle(data: int, size: int, _hashed: int) -> object:
    return _unpickled(ctypes.string_at(data, size))


_unpickle_from_c = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p
)(_unpickle)


@functools.cache
def _unpickled(data: bytes) -> object:
    return pickle.loads(data)  # noqa: S301 (what numba compiled in)


def _identity() -> str:
    """Changes with whatever the machine code depends on."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.read_bytes())
    for value in (
        version("numba"),
        version("llvmlite"),
        np.__version__,
        sys.version,
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    ):
        digest.update(value.encode())
    return digest.hexdigest()


def _file() -> Path:
    return Path(os.environ["NUMBA_CACHE_DIR"]) / f"kernels-{_identity()[:16]}.bin"


@functools.cache
def _frozen() -> _Frozen | None:
    if os.environ.get("NUMBA_DISABLE_JIT"):
        return None
    try:
        return _Frozen(pickle.loads(_file().read_bytes()))  # noqa: S301 (own file)
    except (OSError, ImportError, ValueError, EOFError, pickle.PickleError):
        return None


def freeze() -> None:
    """Keep the machine code of the engine's calls so far for later processes."""
    path = _file()
    before = _frozen()
    codes = dict(before.codes) if before else {}
    ours = (kernel for kernel in _kernels if kernel.name.startswith(f"{__package__}."))
    for kernel in ours:
        for key, types in kernel.called.items():
            codes[kernel.name, key] = _code(kernel, types)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as aside:
        pickle.dump(codes, aside, protocol=5)
    Path(aside.name).replace(path)


def _code(kernel: Kernel, types: tuple[Any, ...]) -> _Code:
    """From numba's own cache, where the code lies as it is linked."""
    cache = kernel.dispatcher._cache
    codegen = kernel.dispatcher.targetctx.codegen()
    held = cache._cache_file.load(cache._index_key(types, codegen))
    library, described, environment = held[:3]
    others = [other for other in held[8] if other is not environment]
    return _Code(
        symbol=described.llvm_cpython_wrapper_name,
        module=described.modname,
        name=described.qualname.split(".")[-1],
        environments=[
            (e.env_name, e.globals["__name__"], list(e.consts))
            for e in (environment, *others)
        ],
        code=library[2][0],
    )
