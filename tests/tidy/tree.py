"""The tree under test, read once: files, text without comments, functions."""

import json
import pathlib
import re
import subprocess

ROOMS = ("proto", "store", "actors", "services", "net")

COMMENT_OR_TEXT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"][^>"]+[>"])', re.MULTILINE)


def blank(match):
    """Spaces of equal shape, so that line numbers stay."""
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    return COMMENT_OR_TEXT.sub(lambda m: blank(m) if m.group()[0] == "/" else m.group(), text)


def without_texts(text):
    return COMMENT_OR_TEXT.sub(blank, text)


def parameter_count(signature):
    """Commas at depth one of "(struct a *b, int (*f)(int, int))", plus one."""
    inner = signature.strip()[1:-1].strip()
    depth, count = 0, 1
    for char in inner:
        depth += (char in "([") - (char in ")]")
        count += char == "," and depth == 0
    return 0 if inner in ("", "void") else count


class File:
    """One source or header; path is relative to the tree."""

    def __init__(self, root, path):
        self.path = path
        self.room = path.split("/")[0]
        self.is_header = path.endswith(".h")
        self.text = (root / path).read_text(encoding="utf-8")
        self.lines = self.text.splitlines()
        self.code = without_texts(self.text)

    def includes(self):
        """(line, '<stdint.h>' or '"proto/json.h"') of every include."""
        text = without_comments(self.text)
        return [(text.count("\n", 0, m.start(1)) + 1, m.group(1)) for m in INCLUDE.finditer(text)]

    def matches(self, pattern):
        """(line, match) of every hit in the code, comments and texts blanked."""
        for number, line in enumerate(self.code.splitlines(), 1):
            for match in pattern.finditer(line):
                yield number, match


class Function:
    """What ctags says of a function; whether it is static is read from the text, where ctags can err."""

    def __init__(self, tag, code):
        self.path, self.line, self.name = tag["path"], tag["line"], tag["name"]
        self.length = tag["end"] - tag["line"] + 1
        self.is_static = re.search(rf"\bstatic\b[^;{{}}]*\b{self.name}\b", code) is not None
        self.parameters = parameter_count(tag["signature"])


class Tree:
    """The rooms below root; archive is a built libproto.a or None."""

    def __init__(self, root, archive=None):
        self.root = pathlib.Path(root)
        self.archive = archive
        found = (p for room in ROOMS for p in sorted((self.root / room).rglob("*"))
                 if p.suffix in (".c", ".h", ".def"))
        self.files = [File(self.root, p.relative_to(self.root).as_posix()) for p in found]
        self.functions = self._functions()

    def room(self, *names):
        return [f for f in self.files if f.room in names]

    def _functions(self):
        paths = [f.path for f in self.files if not f.path.endswith(".def")]
        if not paths:
            return []
        out = subprocess.run(
            ["ctags", "--languages=C", "--langmap=C:.c.h", "--kinds-C=f", "--fields=NFneS",
             "--output-format=json", "-L", "-", "-f", "-"],
            input="\n".join(paths), cwd=self.root, check=True, text=True, capture_output=True).stdout
        code = {f.path: f.code for f in self.files}
        tags = [json.loads(line) for line in out.splitlines()]
        return [Function(tag, code[tag["path"]]) for tag in tags]
