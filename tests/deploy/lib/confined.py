#!/usr/bin/python3
"""Run a program as a unit of systemd would confine it, without systemd: confined.py UNIT PROGRAM ARG...

Its system calls are those of SystemCallFilter, which `systemd-analyze syscall-filter` spells out; MemoryDenyWriteExecute
and NoNewPrivileges hold. A call that is not allowed fails with EPERM, as in the unit.
"""

import ctypes
import errno
import os
import subprocess
import sys

import seccomp

PR_SET_NO_NEW_PRIVS, PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 38, 65, 1


def calls_of(name):
    """A set like @process, in full; a call as itself."""
    if not name.startswith("@"):
        return {name}
    out = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, text=True, capture_output=True).stdout
    words = [line.strip() for line in out.splitlines() if line.startswith("    ")]
    words = [word for word in words if word and not word.startswith("#")]
    return set().union(*(calls_of(word) for word in words))


def allowed(unit):
    """Lines add and, with a leading ~, take away, in their order."""
    calls = set()
    for line in open(unit, encoding="utf-8"):
        key, _, value = line.strip().partition("=")
        if key != "SystemCallFilter":
            continue
        named = set().union(*(calls_of(name) for name in value.lstrip("~").split()))
        calls = calls - named if value.startswith("~") else calls | named
    if not calls:
        sys.exit(f"{unit}: no SystemCallFilter")
    return calls


def confine(unit):
    libc = ctypes.CDLL(None, use_errno=True)
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for call in allowed(unit) | {"execve"}:
        try:
            rules.add_rule(seccomp.ALLOW, call)
        except (RuntimeError, ValueError, OSError):
            pass  # not of this machine
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        sys.exit("no_new_privs: " + os.strerror(ctypes.get_errno()))
    if libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
        print("this kernel knows no MDWE", file=sys.stderr)
    rules.load()


if __name__ == "__main__":
    confine(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
