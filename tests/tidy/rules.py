"""The rules of the house. Each yields its breaches as "path:line: text"; RULES names them all."""

import fnmatch
import pathlib
import re
import shutil
import statistics
import subprocess

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60
FUNCTION_MEDIAN_MAX = 9
PARAMETERS_MAX = 5
# Callbacks whose parameters a library dictates.
DICTATED = {("net/tls.c", "on_context_freed")}  # CRYPTO_EX_free
COLUMNS_MAX = 100
CONDITIONALS_PER_1000_MAX = 3

# Whose headers a room may include.
BELOW = {
    "proto": {"proto"},
    "store": {"store", "proto"},
    "actors": {"actors", "proto"},
    "services": {"services", "store", "actors", "proto"},
    "net": {"net", "services", "actors", "proto"},
}
# Beside that: the composition root, and what opens a directory that no node has open.
COMPOSED = {"net/main.c": {"store"}, "net/encctl/offline.h": {"store"}}

# Headers in angle brackets, per room: what the language gives without an operating system, then what the room wraps.
PURE = ["assert.h", "errno.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h",
        "stddef.h", "stdint.h", "string.h"]
FOREIGN = {
    "proto": PURE,
    "store": PURE + ["lmdb.h", "stdatomic.h", "stdio.h", "stdlib.h", "fcntl.h", "unistd.h", "dirent.h",
                     "sys/file.h", "sys/mman.h", "sys/stat.h", "sys/types.h"],
    "actors": PURE + ["uv.h", "stdatomic.h", "stdio.h", "stdlib.h"],
    "services": PURE + ["stdatomic.h", "stdio.h", "stdlib.h", "sanitizer/asan_interface.h", "sys/sdt.h"],
    "net": ["*"],
}
NOT_IN_NET = ["lmdb.h", "secp256k1*.h", "utf8proc.h"]
# Wrappers: the only files of proto that see these, and never a header of ours, so that nobody inherits them.
WRAPPED = ["secp256k1*.h", "openssl/*.h", "utf8proc.h"]
CHECK_FILE, CHECK_HEADERS = "proto/base/check.c", ["stdlib.h", "unistd.h"]

IMPURE = re.compile(
    r"\b(malloc|calloc|realloc|reallocarray|strdup|alloca|free|time|clock\w*|gettimeofday|getenv"
    r"|rand|random|getrandom|pthread_\w+|v?f?printf|puts|fputs|fopen|fwrite|fread|open|read|write"
    r"|socket)[ \t]*\(|\b(FILE|stdout|stderr|_Thread_local|__thread|_Atomic)\b")
GOTO = re.compile(r"\bgoto\b")
CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef)\b")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|[Ss]tub(s|bed)?)\b")
PUBLIC_NAME = re.compile(r"enc_\w+$|main$")
READ_ONLY = re.compile(r"\.(rodata|data\.rel\.ro|text|eh_frame|note)")


STYLE = pathlib.Path(__file__).resolve().parents[2] / ".clang-format"


def any_match(name, patterns):
    return any(fnmatch.fnmatch(name, p) for p in patterns)


def floors(tree):
    """Own headers are named from the root, and point sideways or down."""
    for file in tree.files:
        allowed = BELOW[file.room] | COMPOSED.get(file.path, set())
        for line, name in file.includes():
            if name[0] == '"' and name[1:].split("/")[0] not in allowed:
                yield f"{file.path}:{line}: {file.room} must not include {name}"


def foreign_allowed(file, name):
    if file.room == "net":
        return not any_match(name, NOT_IN_NET)
    if file.room == "proto" and not file.is_header and any_match(name, WRAPPED):
        return True
    if file.path == CHECK_FILE and name in CHECK_HEADERS:
        return True
    return any_match(name, FOREIGN[file.room])


def foreign(tree):
    """A foreign header lives on one floor."""
    for file in tree.files:
        for line, name in file.includes():
            if name[0] == "<" and not foreign_allowed(file, name[1:-1]):
                yield f"{file.path}:{line}: {name} does not belong in {file.room}"


def purity(tree):
    """proto: no memory, clock, thread or output of its own."""
    for file in tree.room("proto"):
        if file.path == CHECK_FILE:
            continue
        for line, match in file.matches(IMPURE):
            yield f"{file.path}:{line}: proto is pure, but: {match.group().strip()}"


def mutable_statics(tree):
    """proto keeps nothing between calls: every object of the library is in a read-only section."""
    if tree.archive is None:
        return None
    return list(_writable_objects(tree.archive))


def _writable_objects(library):
    out = subprocess.run(["objdump", "-t", str(library)], check=True, text=True, capture_output=True).stdout
    for line in out.splitlines():
        match = re.match(r"[0-9a-f]{16} .{6}O (\S+)\s+[0-9a-f]+ (?:\.\w+ )?(\S+)$", line)
        if match and not READ_ONLY.match(match.group(1)):
            yield f"{library}: {match.group(2)} is writable ({match.group(1)})"


def file_size(tree):
    for file in tree.files:
        if len(file.lines) > FILE_LINES_MAX:
            yield f"{file.path}:1: {len(file.lines)} lines, at most {FILE_LINES_MAX}"


def columns(tree):
    for file in tree.files:
        for number, line in enumerate(file.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield f"{file.path}:{number}: {len(line)} columns, at most {COLUMNS_MAX}"
            if "\t" in line or line != line.rstrip():
                yield f"{file.path}:{number}: tab or trailing space"


def layout(tree):
    """What clang-format would change."""
    if shutil.which("clang-format") is None:
        return None
    paths = [f.path for f in tree.files if not f.path.endswith(".def")]
    out = subprocess.run(["clang-format", "--dry-run", f"--style=file:{STYLE}", *paths],
                         cwd=tree.root, check=True, text=True, capture_output=True).stderr
    found = re.findall(r"^(\S+:\d+):\d+: warning: code should be clang-formatted", out, re.MULTILINE)
    return list(dict.fromkeys(found))


def function_size(tree):
    for function in tree.functions:
        if function.length > FUNCTION_LINES_MAX:
            yield (f"{function.path}:{function.line}: {function.name} has {function.length} lines, "
                   f"at most {FUNCTION_LINES_MAX}")


def function_median(tree):
    """Half of all functions are small."""
    lengths = [f.length for f in tree.functions]
    median = statistics.median(lengths) if lengths else 0
    if median > FUNCTION_MEDIAN_MAX:
        yield f"median function has {median:g} lines, at most {FUNCTION_MEDIAN_MAX}"


def parameters(tree):
    for function in tree.functions:
        if function.parameters > PARAMETERS_MAX and (function.path, function.name) not in DICTATED:
            yield (f"{function.path}:{function.line}: {function.name} has {function.parameters} "
                   f"parameters, at most {PARAMETERS_MAX}")


def names(tree):
    """What other files can see carries the prefix."""
    for function in tree.functions:
        if not function.is_static and not PUBLIC_NAME.match(function.name):
            yield f"{function.path}:{function.line}: {function.name} is neither static nor enc_"


def no_goto(tree):
    for file in tree.files:
        for line, _ in file.matches(GOTO):
            yield f"{file.path}:{line}: goto"


def guards(tree):
    for file in tree.files:
        if file.is_header and not re.search(r"^#pragma once$", file.code, re.MULTILINE):
            yield f"{file.path}:1: no #pragma once"


def conditionals(tree):
    """Few #if, counted over the whole tree."""
    hits = [f"{f.path}:{line}" for f in tree.files for line, _ in f.matches(CONDITIONAL)]
    total = sum(len(f.lines) for f in tree.files)
    if len(hits) > max(1, total // 1000) * CONDITIONALS_PER_1000_MAX:
        yield f"{len(hits)} #if in {total} lines, at most {CONDITIONALS_PER_1000_MAX} in 1000: {' '.join(hits)}"


def include_cycles(tree):
    graph = {f.path: [n[1:-1] for _, n in f.includes() if n[0] == '"'] for f in tree.files}
    done = set()

    def visit(path, trail):
        if path in trail:
            yield f"{path}:1: include cycle: {' > '.join(trail[trail.index(path):] + [path])}"
        elif path in graph and path not in done:
            for below in graph[path]:
                yield from visit(below, trail + [path])
            done.add(path)

    for path in graph:
        yield from visit(path, [])


def unfinished(tree):
    for file in tree.files:
        for number, line in enumerate(file.lines, 1):
            match = UNFINISHED.search(line)
            if match:
                yield f"{file.path}:{number}: unfinished: {match.group()}"


RULES = (floors, foreign, purity, mutable_statics, file_size, columns, layout, function_size,
         function_median, parameters, names, no_goto, guards, conditionals, include_cycles, unfinished)
