#!/usr/bin/python3
"""What SECURITY.md says about this tree is so: libraries and their versions, files, flags, attacks and their bounds."""

import os
import pathlib
import re
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ENC_BUILD", REPO / "build/release"))
TEXT = (REPO / "SECURITY.md").read_text(encoding="utf-8")
# name in the table: module of pkg-config
MODULES = {"h2o": "libh2o", "libuv": "libuv", "OpenSSL": "openssl", "curl": "libcurl", "libseccomp": "libseccomp", "libyaml": "yaml-0.1",
           "zlib": "zlib", "Brotli": "libbrotlienc", "LMDB": "lmdb", "libsecp256k1": "libsecp256k1", "utf8proc": "libutf8proc"}
# Whose pkg-config tells another number than its release.
OTHERWISE = {"h2o", "utf8proc"}


def section(title):
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title):
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if not line.startswith("| ---")]


def run(*words):
    return subprocess.run([str(word) for word in words], check=True, text=True, capture_output=True).stdout


def libraries():
    """the libraries in the table are those that the programs load"""
    named = set(re.findall(r"`(lib[\w.-]+\.so[.\d]*)`", section("What it stands on")))
    needed = set()
    for program in ("enclaved", "encctl"):
        needed |= set(re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", BUILD / program)))
    needed = {name for name in needed if not name.startswith("ld-linux")}
    assert named >= needed, f"not in the table: {needed - named}"
    assert named <= needed, f"not loaded: {named - needed}"


def versions():
    """and their versions those of this system"""
    seen = 0
    for name, version in re.findall(r"([\w]+) (\d+(?:\.\d+)+)", " ".join(row[0] for row in rows("What it stands on"))):
        if name not in MODULES or name in OTHERWISE:
            continue
        got = run("pkg-config", "--modversion", MODULES[name]).strip()
        assert got == version or got.startswith(version + "."), f"{name}: {version} is {got}"
        seen += 1
    assert seen >= 8, seen


def files():
    """every file that is named is there"""
    named = re.findall(r"`([\w./-]+/[\w.-]+\.(?:mjs|sh|py|c|h|def|cmake|in))`", TEXT)
    assert len(named) > 25, len(named)
    missing = [name for name in named if not (REPO / name).exists()]
    assert not missing, missing


def flags():
    """every flag of the compiler that is named is set"""
    cmake = (REPO / "deploy/build/flags.cmake").read_text(encoding="utf-8")
    words = " ".join(re.findall(r"`(-[^`]*)`", "".join(row[0] for row in rows("How the build is hardened")))).split()
    named = [word.removeprefix("-D") for word in words]
    assert len(named) >= 9, named
    missing = [flag for flag in named if flag not in cmake]
    assert not missing, missing


def attacks():
    """the attacks and bounds in the table are those of the test"""
    script = (REPO / "tests/wire/attack_bounds.test.mjs").read_text(encoding="utf-8")
    bounds = {name: tuple(numbers) for name, *numbers in
              re.findall(r"'([\w ]+)': \{ mib: ([\d.]+), cpu: ([\d.]+), ms: ([\d.]+) \}", script)}
    named = {row[0]: tuple(re.search(r" of ([\d.]+)", cell).group(1) for cell in row[1:])
             for row in rows("Attacks, and the bound that is measured") if len(row) == 4 and row[0] != "attack"}
    assert bounds == named, set(bounds.items()) ^ set(named.items())


CASES = (libraries, versions, files, flags, attacks)


def main():
    failed = 0
    for case in CASES:
        try:
            case()
            print(f"ok      {case.__doc__}")
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED  {case.__doc__}\n    {error!r}")
    print(f"{len(CASES) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
