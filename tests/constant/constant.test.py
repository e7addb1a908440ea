#!/usr/bin/python3
"""What works with secrets neither branches on them nor looks anything up by them, and mistakes of that kind are found.

memcheck takes a secret for undefined memory: a jump or an address that depends on it is an error.
"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("ENC_BUILD", HERE.parents[1] / "build/dev"))
CLEAN = ("enc_key_init", "enc_schnorr_sign", "enc_ecdh_x", "enc_channel_derive", "enc_seal", "enc_hex_encode")
PLANTED = ("planted compare", "planted table", "planted nonce")
FOUND = 99


def run(row):
    words = ["valgrind", "--quiet", f"--error-exitcode={FOUND}", f"--suppressions={HERE / 'public.supp'}", BUILD / "constant", row]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def main():
    failed = 0
    for row in CLEAN + PLANTED:
        done = run(row)
        is_good = done.returncode == (FOUND if row in PLANTED else 0)
        failed += not is_good
        print(f"{'ok     ' if is_good else 'FAILED '} {row}{' is found' if row in PLANTED else ''}")
        if not is_good:
            print(done.stderr)
    print(f"{len(CLEAN + PLANTED) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
