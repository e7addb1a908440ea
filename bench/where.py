"""Where the CPU of the node goes: samples of perf, each put into a stage by rows of names."""

import bisect
import collections
import itertools
import re
import shutil
import subprocess

import cases
import commits
import fan
import measure
import reads
import report
import room

# 2999 is in step with nothing.
RECORD = ("perf", "record", "--quiet", "--all-cpus", "--freq", "2999", "-g", "--call-graph", "fp")
REST_MAX = 0.05  # of the samples, or the rows below miss something
SAMPLES_MIN = 1000  # with fewer chance decides
UNKNOWN_SHOWN = 12

SIGN, HASH, HTTP, JSON = "verify and sign", "hash and seal", "HTTP", "JSON"
NETWORK, DISK = "kernel: network", "kernel: disk"
WAKES = "kernel: scheduling and wakes"
TREES, STORE, MEMORY = "trees", "store", "memory"
ACTORS, SERVICES, REST = "actors", "services", "rest"
STAGES = [SIGN, HASH, NETWORK, DISK, WAKES, HTTP, JSON, TREES, STORE, MEMORY, ACTORS, SERVICES,
          REST]

# The first row whose function stands anywhere in the kernel's part of the chain counts. What an
# interrupt does is before the system call that it met, and what a call is made on before the call.
KERNEL = [
    (NETWORK, ("net_rx_action",)),
    (DISK, ("blk_", "filemap_fault", "filemap_map_pages", "asm_common_interrupt")),
    (WAKES, ("asm_sysvec_", "exit_to_user_mode_loop", "eventfd_", "sys_epoll_")),
    (DISK, ("sys_fdatasync", "sys_fsync", "sys_pwrite", "sys_pread", "sys_lseek", "ext4_")),
    (NETWORK, ("sock_", "tcp_", "sys_send", "sys_recv", "sys_writev", "sys_accept", "sys_socket",
               "sys_setsockopt", "sys_shutdown", "sys_close")),
    (MEMORY, ("asm_exc_page_fault", "sys_madvise", "sys_mprotect", "sys_mmap", "sys_munmap",
              "sys_mremap", "sys_brk")),
    (WAKES, ("sys_futex", "sys_sched_yield", "sys_nanosleep", "sys_clock_nanosleep",
             "sys_timerfd", "schedule")),
    (DISK, ("sys_open", "sys_newfstat", "sys_ftruncate", "sys_fallocate", "vfs_write")),
    (NETWORK, ("sys_read", "sys_write")),
]

# By the library, and by the function without the underscores before its name.
LIBRARIES = [
    (SIGN, "libsecp256k1", ("",)),
    (HASH, "libbssl", ("",)),
    (HTTP, "libh2o", ("",)),
    (HTTP, "libwslay", ("",)),
    (HTTP, "libuv", ("",)),
    (HTTP, "libssl", ("",)),
    (HTTP, "libcrypto", ("",)),
    (STORE, "liblmdb", ("",)),
    (MEMORY, "libc.so", ("mem", "str", "int_malloc", "int_free", "int_realloc", "malloc", "free",
                         "cfree", "calloc", "realloc", "tcache", "unlink_chunk", "sysmalloc",
                         "systrim", "mid_memalign", "posix_memalign", "aligned_alloc",
                         "explicit_bzero")),
    (DISK, "libc.so", ("pwrite", "pread", "fdatasync", "fsync", "lseek")),
    (NETWORK, "libc.so", ("write", "read", "send", "recv", "accept")),
    (WAKES, "libc.so", ("pthread_", "condvar_", "futex", "lll_", "epoll_", "sched_", "syscall",
                        "clock_gettime", "nptl_")),
    (WAKES, "[vdso]", ("",)),
]

# Our own functions, by the file that has them.
SOURCES = [
    (SIGN, ("proto/schnorr", "proto/session")),
    (HASH, ("proto/sha256", "proto/cbor", "proto/hashes", "proto/seal", "proto/selfcheck")),
    (JSON, ("proto/json", "proto/event_json", "proto/proof_json", "proto/wire", "proto/request",
            "proto/utf8", "proto/base/hex")),
    (TREES, ("proto/smt", "proto/ct", "proto/frontier", "proto/consistency")),
    (STORE, ("proto/record", "store/")),
    (MEMORY, ("proto/base/arena",)),
    (SERVICES, ("proto/", "services/")),
    (ACTORS, ("actors/",)),
    (HTTP, ("net/",)),
]

FRAME = re.compile(r"\s+([0-9a-f]+) (.+) \((.*)\)$")
CALL_PREFIX = re.compile(r"^__(x64|arm64)_")
C_PREFIX = re.compile(r"^_*(GI_+)?(libc_)?")
ROOM = re.compile(r".*/((?:proto|store|actors|services|net)/.*):\d+$")


class Functions:
    """Which file a function of the node is from, by its address."""

    def __init__(self, lines):
        self.starts, self.files = [], []
        for line in lines:
            words = line.split(None, 3)
            if words[1] in "tT":
                found = ROOM.match(words[3]) if len(words) == 4 else None
                self.starts.append(int(words[0], 16))
                self.files.append(found.group(1) if found else "")

    def file_at(self, address):
        at = bisect.bisect_right(self.starts, address) - 1
        return self.files[at] if at >= 0 else ""


def functions_of(program):
    words = ["nm", "--numeric-sort", "--defined-only", "--line-numbers", program]
    return Functions(subprocess.run(words, capture_output=True, text=True,
                                    check=True).stdout.splitlines())


def _row(rows, names):
    return next((stage for stage, prefixes in rows
                 if any(name.startswith(prefixes) for name in names)), None)


def _of_library(name, library):
    bare = C_PREFIX.sub("", name)
    return next((stage for stage, owner, prefixes in LIBRARIES
                 if library.startswith(owner) and bare.startswith(prefixes)), None)


def stage_of(chain, functions):
    """Of the frames of a sample, the innermost first."""
    inside = list(itertools.takewhile(lambda frame: frame[0] >> 63, chain))
    stage = _row(KERNEL, [CALL_PREFIX.sub("", name) for _, name, _ in inside])
    if stage or len(inside) == len(chain):
        return stage or REST
    address, name, path = chain[len(inside)]
    library = path.rsplit("/", 1)[-1]
    if library == "enclaved":
        stage = _row(SOURCES, [functions.file_at(address)])
        library = "libc.so"  # otherwise a stub of the linker, by the name of its function
    return stage or _of_library(name, library) or REST


def samples(text):
    """The chains that `perf script` prints, as (address, function, file) each."""
    for block in text.split("\n\n"):
        found = [FRAME.match(line) for line in block.splitlines()]
        chain = [(int(frame[1], 16), frame[2], frame[3]) for frame in found if frame]
        if chain:
            yield chain


def sort(chains, functions):
    """How many samples each stage has, and what of the rest was seen."""
    counts, unknown = collections.Counter(), collections.Counter()
    for chain in chains:
        stage = stage_of(chain, functions)
        counts[stage] += 1
        if stage == REST:
            unknown[" < ".join(name for _, name, _ in chain[:6]) + f" ({chain[0][2]})"] += 1
    return counts, unknown


def _must_be_known(case, counts, unknown):
    total = sum(counts.values())
    if total >= SAMPLES_MIN and counts[REST] >= REST_MAX * total:
        seen = "\n".join(f"{count} {what}" for what, count in unknown.most_common(UNKNOWN_SHOWN))
        raise room.Failed(f"{case}: {counts[REST]} of {total} samples without a stage\n{seen}")


def case_table(case, unit, cost_us, counts):
    """cost_us is that of a run without perf: sampling itself takes time."""
    total = sum(counts.values())
    rows = [[stage, cost_us * counts[stage] / total, 100 * counts[stage] / total]
            for stage in STAGES]
    rows.append(["all", cost_us, 100.0])
    return report.table(f"Where the time goes: {case}", ["stage", f"us/{unit}", "%"], rows)


class Probe:
    """Runs the same load twice: bare, for what it costs; under perf, for its parts."""

    def __init__(self, path):
        self.file = path / "perf.data"
        self.pid = None
        self.functions = functions_of(room.BUILD / "enclaved")

    def through(self, node):
        """Of all processes: counting for one alone makes each of its switches dearer."""
        self.pid = node.pid
        return (*RECORD, "--output", self.file, "--")

    def table(self, case, unit, cost_us):
        words = ["perf", "script", "--pid", str(self.pid), "--fields", "ip,sym,dso", "--input",
                 self.file]
        text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        counts, unknown = sort(samples(text), self.functions)
        if not counts:
            raise room.Failed(f"{case}: perf saw nothing")
        _must_be_known(case, counts, unknown)
        return case_table(case, unit, cost_us, counts)


def cost_of(got, of):
    return got["cpu_s"] / got[of] * 1e6


def send_commits(case, size, probe=None):
    """To a fresh node, as in the group of commits."""
    with room.folder() as path, room.Node(path) as node:
        enclaves = measure.sign(path, case.name, size.commits, enclaves=case.enclaves)
        measure.create(node, path)
        got = commits.send(path, node, case, size.commits,
                           through=probe.through(node) if probe else ())
        measure.verify_some(node, enclaves, size.sample, size.commits)
    return got


def commit_table(name, size):
    case = next(row for row in cases.COMMITS if row.name == name)
    with room.folder() as path:
        probe = Probe(path)
        bare = send_commits(case, size)
        send_commits(case, size, probe)
        return probe.table(name, "commit", cost_of(bare, "accepted"))


def read_table(path, node, world, name, count):
    case = next(row for row in cases.READS if row.name == name)
    probe = Probe(path)
    file = reads.write_requests(path / "reads.txt", list(world.requests(case)), count)
    how = reads.drive_options(case, cases.WHERE_WIRE, file)
    bare, _ = (room.load("send", through, port=node.port, pid=node.pid, **how)
               for through in ((), probe.through(node)))
    return probe.table(f"{name}, {cases.WHERE_WIRE[0]}", "request", cost_of(bare, "accepted"))


def read_tables(size):
    with room.folder() as path, room.Node(path) as node:
        world = reads.World(node, path, size.leaves)
        for name in cases.WHERE_READS:
            yield read_table(path, node, world, name, size.reads)


def fanout_table(size):
    case = cases.WHERE_FANOUT
    count = fan.commits_of(case, size.frames)
    with room.folder() as path, room.Node(path) as node:
        probe = Probe(path)
        bare, _ = (fan.deliver(path, node, case, count, f"where {len(through)}", through)
                   for through in ((), probe.through(node)))
        return probe.table(f"fan-out, {case.subscribers} subscribers", "frame",
                           cost_of(bare, "delivered"))


def why_not():
    """Why there can be no samples of the kernel here; None when there can."""
    if not shutil.which("perf"):
        return "there is no perf (Debian: linux-perf)"
    with room.folder() as path:
        words = [*RECORD, "--event", "cpu-clock:k", "--output", path / "perf.data", "--", "true"]
        done = subprocess.run(words, capture_output=True)
    if done.returncode:
        return "perf may not look into the kernel (kernel.perf_event_paranoid)"
    with open("/proc/kallsyms") as symbols:
        is_hidden = int(next(symbols).split()[0], 16) == 0
    return "the kernel hides its functions (kernel.kptr_restrict)" if is_hidden else None


def where_tables(size):
    reason = why_not()
    if reason:
        yield f"\n## Where the time goes\n\nSkipped: {reason}.\n"
        return
    for name in cases.WHERE_COMMITS:
        yield commit_table(name, size)
    yield from read_tables(size)
    yield fanout_table(size)
