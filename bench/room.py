"""A node on loopback, the programs that load it, and what the machine is."""

import contextlib
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("ENC_BUILD", ROOT / "build" / "release"))
RECEIPT = '{"type":"Receipt"'
START_S = 60
POLL_S = 0.001

# All clients have one address here.
LIMITS = {
    "ENCLAVED_LIMITS_SOCKETS_PER_ADDRESS": "20000",
    "ENCLAVED_LIMITS_CONNECTIONS_PER_ADDRESS": "20000",
    "ENCLAVED_LIMITS_CONNECTIONS": "20000",
}


class Failed(Exception):
    """A run that lost or refused something is not a result."""


def build():
    """What bench needs, in release; nothing when the build is given from outside."""
    if "ENC_BUILD" in os.environ:
        return
    lists = [ROOT / "deploy/build/packages.txt", ROOT / "bench/packages.txt"]
    steps = [
        [ROOT / "deploy/build/need", *lists],
        ["cmake", "--preset", "release"],
        ["cmake", "--build", "--preset", "release", "--target", "enclaved", "encctl", "load",
         "floor_http", "micro"],
    ]
    for step in steps:
        done = subprocess.run(step, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Failed(done.stdout.decode())


@contextlib.contextmanager
def folder():
    """A new directory on the file system of the repository, gone afterwards."""
    parent = ROOT / "build" / "bench"
    parent.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(tempfile.mkdtemp(dir=parent))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def allow_many_files():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def load(command, through=(), **options):
    """Run the load program, through another if one is given; its figures. None is no option."""
    words = [*map(str, through), str(BUILD / "load"), command]
    for name, value in options.items():
        if value is not None:
            words += [f"--{name}", str(value)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


class Child:
    """A process that ends with its block."""

    def __init__(self, words, **how):
        self.process = subprocess.Popen([str(word) for word in words], **how)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


class Node(Child):
    """enclaved with a data directory of its own."""

    def __init__(self, path, limits=None):
        """limits: what is not as bench has it, by the name that follows ENCLAVED_LIMITS_."""
        given = {f"ENCLAVED_LIMITS_{name}": str(value) for name, value in (limits or {}).items()}
        self.data = path / "data"
        self.log = path / "node.log"
        words = [BUILD / "enclaved", "--data", self.data, "--listen", "127.0.0.1:0",
                 "--admin", "127.0.0.1:0"]
        begun = time.monotonic()
        with open(self.log, "wb") as log:
            super().__init__(words, stderr=log, env={**os.environ, **LIMITS, **given})
        self.port = self._wait_for_port("public")
        self.start_ms = (time.monotonic() - begun) * 1000
        self.admin = self._wait_for_port("admin")

    def _wait_for_port(self, listener):
        pattern = re.compile(f'"listener":"{listener}","address":"[^"]*:(\\d+)"')
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            found = pattern.search(self.log.read_text())
            if found:
                return int(found.group(1))
            time.sleep(POLL_S)
        self.process.kill()
        raise Failed(f"the node does not start\n{self.log.read_text()}")

    def _status_mib(self, name):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+)", status).group(1)) / 1024

    def peak_mib(self):
        return self._status_mib("VmHWM")

    def anon_mib(self):
        """Memory without the pages of the store, which are the kernel's to drop."""
        return self._status_mib("RssAnon")

    def gauge(self, name):
        """One figure of /metrics, all its series together."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics") as answer:
            rows = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", answer.read().decode(), re.M)
            return sum(float(value) for value in rows)

    def used_len(self):
        """The store's pages; what its files have ahead of them is room."""
        return self.gauge("enclaved_store_used_bytes")

    def seq_pub(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/info/node") as answer:
            return json.load(answer)["seq_pub"]

    def verify(self, enclave, events):
        """The whole log, from outside: everything in it is true, and nothing is missing."""
        done = subprocess.run([BUILD / "encctl", "--json", "--url", f"http://127.0.0.1:{self.port}",
                               "verify", enclave], capture_output=True, text=True)
        if done.returncode or json.loads(done.stdout)["events"] != events:
            raise Failed(f"{enclave} with {events} events\n{done.stdout}{done.stderr}")


class Floor(Child):
    """An h2o handler that answers with one file."""

    def __init__(self, path):
        super().__init__([BUILD / "floor_http", path], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())


def _first(pattern, text, otherwise):
    found = re.search(pattern, text)
    return found.group(1).strip() if found else otherwise


def _said(*words):
    try:
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except OSError:
        return "?"


def facts():
    """What a figure depends on, as rows."""
    model = _first(r"model name\s*:(.*)", pathlib.Path("/proc/cpuinfo").read_text(), "?")
    memory = _first(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(), "0")
    versions = [f"{name} {_said('pkg-config', '--modversion', name)}"
                for name in ("libsecp256k1", "libh2o", "libuv", "lmdb")]
    return [
        ("processor", f"{os.cpu_count()} x {model}"),
        ("memory", f"{round(int(memory) / 2 ** 20)} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("file system of the data", _said("stat", "-f", "-c", "%T", str(ROOT))),
        ("compiler", _said("cc", "--version").split("\n")[0]),
        ("libraries", ", ".join(versions)),
        ("commit", _said("git", "describe", "--always", "--dirty")),
        ("load before the run", f"{os.getloadavg()[0]:.2f}"),
        ("taken", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
    ]
