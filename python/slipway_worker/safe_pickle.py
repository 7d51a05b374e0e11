"""Unpickles a model file with the names of the allow-list, and with nothing else.

The list is the JSON in `allowed/`, which the packing side reads too; a user's own names come beside it. Three fences stand behind each other:
the unpickler resolves only names that are listed and calls only what it resolved; while it runs, `pickle.load` and `pickle.loads` give the same
unpickler, since joblib and numpy call them for arrays of objects; and an audit hook refuses what any other unpickler of the process resolves.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import os
import pickle
import sys
import threading
from typing import Any, Callable, Dict, FrozenSet, Iterable, Iterator, List, Optional, Tuple

from .errors import PickleRefused

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "allowed")
_FILES = ("by-hand.json", "from-releases.json")
_PYTHON2 = 3  # protocols before it use the module names of Python 2
_OLD_JOBLIB = "sklearn.externals.joblib."
_STATE = threading.local()
_HOOKED: List[bool] = []


class Allowed:
    """Exact names that a pickle may import."""

    def __init__(self, names: FrozenSet[str], not_called: FrozenSet[str]) -> None:
        self.names = names
        self.not_called = not_called

    def check(self, module: str, name: str) -> None:
        if "%s.%s" % (module, name) not in self.names:
            raise refused("it imports %s.%s, which is not on the allow-list" % (module, name), "%s.%s" % (module, name))


def refused(why: str, name: Optional[str] = None) -> PickleRefused:
    hint = "" if name is None else "; when you trust it, allow it with --allow-pickle %s or allowPickle: [%s] in slipway.yaml, and pack again" % (name, name)
    return PickleRefused("load the model: %s%s" % (why, hint))


def read_allowed(kind: str, extra: Iterable[str] = ()) -> Allowed:
    """The list of one kind of model, with the names that the user allowed."""
    names = set(extra)
    kinds: Dict[str, List[str]] = {}
    not_called: List[str] = []
    libraries: List[Tuple[str, Dict[str, List[str]]]] = []
    for file_name in _FILES:
        with open(os.path.join(_FOLDER, file_name), encoding="utf-8") as file:
            part = json.load(file)
        kinds.update(part.get("kinds", {}))
        not_called.extend(part.get("notCalled", []))
        libraries.extend(part["libraries"].items())
    for library, modules in libraries:
        if library in kinds[kind]:
            names.update("%s.%s" % (module, name) for module, listed in modules.items() for name in listed)
    return Allowed(frozenset(names), frozenset(not_called))


def load_model(path: str, allowed: Allowed) -> Any:
    """What `joblib.load` gives for a file, or `pickle.load` where there is no joblib. Raises `PickleRefused` before anything that is not listed runs."""
    with _fenced(allowed):
        try:
            numpy_pickle: Any = importlib.import_module("joblib.numpy_pickle")
        except ImportError:
            with open(path, "rb") as file:
                return _strict(pickle._Unpickler, allowed)(file).load()  # type: ignore[attr-defined]
        original = numpy_pickle.NumpyUnpickler
        numpy_pickle.NumpyUnpickler = _strict(original, allowed)
        try:
            return numpy_pickle.load(path)
        finally:
            numpy_pickle.NumpyUnpickler = original


@contextlib.contextmanager
def _fenced(allowed: Allowed) -> Iterator[None]:
    """Every unpickler of this thread is bound to the list while the block runs."""
    unpickler = _strict(pickle._Unpickler, allowed)  # type: ignore[attr-defined]

    def load(file: Any, **options: Any) -> Any:
        return unpickler(file, **options).load()

    def loads(data: Any, **options: Any) -> Any:
        return unpickler(io.BytesIO(data), **options).load()

    if not _HOOKED:
        sys.addaudithook(_audit)
        _HOOKED.append(True)
    kept = pickle.load, pickle.loads
    _STATE.allowed = allowed
    pickle.load, pickle.loads = load, loads  # type: ignore[assignment]
    try:
        yield
    finally:
        pickle.load, pickle.loads = kept
        _STATE.allowed = None


def _audit(event: str, args: Tuple[Any, ...]) -> None:
    """`pickle.find_class` is raised by every unpickler of CPython before it imports."""
    if event != "pickle.find_class":
        return
    allowed: Optional[Allowed] = getattr(_STATE, "allowed", None)
    if allowed is not None:
        allowed.check(str(args[0]), str(args[1]))


@contextlib.contextmanager
def _open_gate() -> Iterator[None]:
    """Modules of installed packages may unpickle data of their own while they are imported."""
    kept = getattr(_STATE, "allowed", None)
    strict = pickle.load, pickle.loads
    _STATE.allowed = None
    try:
        yield
    finally:
        _STATE.allowed = kept
        pickle.load, pickle.loads = strict


def _strict(base: Any, allowed: Allowed) -> Any:
    """A class like `base`, an unpickler in Python, which resolves and calls only what is listed."""

    class StrictUnpickler(base):  # type: ignore[misc]
        dispatch: Dict[int, Callable[..., Any]] = dict(base.dispatch)

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            # By identity, with the object kept alive so that no other one takes its place.
            self.resolved: Dict[int, Tuple[Any, str]] = {}

        def find_class(self, module: str, name: str) -> Any:
            module, name = _today(self, module, name)
            allowed.check(module, name)
            found = _resolve(module, name)
            self.resolved[id(found)] = (found, "%s.%s" % (module, name))
            return found

        def get_extension(self, code: int) -> None:
            raise refused("it uses extension code %d" % code)

        def persistent_load(self, pid: Any) -> Any:
            raise refused("it refers to an object outside the file")

        def check_callee(self, callee: Any, is_new: bool) -> None:
            target = callee.func if type(callee) is functools.partial else callee
            _, name = self.resolved.get(id(target), (None, None))
            if name is None:
                raise refused("it calls a value that it made, a %s" % type(callee).__name__)
            if name in allowed.not_called and not is_new:
                raise refused("it calls %s" % name)

        def _instantiate(self, klass: Any, args: Any) -> None:
            self.check_callee(klass, not args)
            super()._instantiate(klass, args)
            self.check_partial(self.stack[-1])

        def check_reduce(self) -> None:
            self.check_callee(self.stack[-2], False)
            base.dispatch[pickle.REDUCE[0]](self)
            self.check_partial(self.stack[-1])

        def check_partial(self, value: Any) -> None:
            """What a bound function calls later must be a listed name too."""
            if type(value) is functools.partial:
                self.check_callee(value, False)

        def check_new(self) -> None:
            self.check_callee(self.stack[-2], not self.stack[-1])
            base.dispatch[pickle.NEWOBJ[0]](self)
            self.check_partial(self.stack[-1])

        def check_new_with_names(self) -> None:
            self.check_callee(self.stack[-3], not self.stack[-2] and not self.stack[-1])
            base.dispatch[pickle.NEWOBJ_EX[0]](self)
            self.check_partial(self.stack[-1])

        def check_build(self) -> None:
            if id(self.stack[-2]) in self.resolved or isinstance(self.stack[-2], type):
                raise refused("it changes %s itself" % self.resolved.get(id(self.stack[-2]), (None, "a class"))[1])
            base.dispatch[pickle.BUILD[0]](self)
            self.check_partial(self.stack[-1])

    dispatch = StrictUnpickler.dispatch
    dispatch[pickle.REDUCE[0]] = StrictUnpickler.check_reduce
    dispatch[pickle.NEWOBJ[0]] = StrictUnpickler.check_new
    dispatch[pickle.NEWOBJ_EX[0]] = StrictUnpickler.check_new_with_names
    dispatch[pickle.BUILD[0]] = StrictUnpickler.check_build
    return StrictUnpickler


def _today(unpickler: Any, module: str, name: str) -> Tuple[str, str]:
    """The name that Python 3 has for one of Python 2, as the standard unpickler maps it; joblib where scikit-learn had a copy of its own."""
    if module.startswith(_OLD_JOBLIB):
        module = module[len("sklearn.externals.") :]
    if unpickler.proto >= _PYTHON2 or not unpickler.fix_imports:
        return module, name
    compat: Any = importlib.import_module("_compat_pickle")
    if (module, name) in compat.NAME_MAPPING:
        renamed: Tuple[str, str] = compat.NAME_MAPPING[(module, name)]
        return renamed
    return compat.IMPORT_MAPPING.get(module, module), name


def _resolve(module: str, name: str) -> Any:
    with _open_gate():
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    return found
