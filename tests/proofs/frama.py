"""How frama-c is asked about the functions of one source."""

import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def frama_c(root, arguments):
    """The shim is the working directory, because frama-c looks for headers there first."""
    words = ["frama-c", "-machdep", "gcc_x86_64", "-c11", *arguments]
    done = subprocess.run(words, cwd=root / "tests/proofs/shim", capture_output=True, text=True, errors="replace",
                          timeout=1800, check=False)
    return done.stdout + done.stderr


def wp(root, source, functions, bits, seconds):
    """Proved goals, all goals, names of the others. bits are the groups of shim/bits.h that help here."""
    out = frama_c(root, [
        f"-cpp-extra-args={' '.join('-DENC_BITS_' + group for group in bits)} -include gnu17.h -I{root}",
        str(root / source),
        "-wp", "-wp-rte", "-wp-model", "Typed+Cast", "-wp-fct", ",".join(functions),
        "-wp-prover", "z3,cvc4", "-wp-timeout", str(seconds), "-wp-par", "2"])
    figures = re.search(r"Proved goals:\s+(\d+) / (\d+)", out)
    if not figures:
        return 0, 0, [out[-2000:]]
    return int(figures[1]), int(figures[2]), re.findall(r"\[Failed\] Goal (?:typed_cast_)?(\w+)", out)
