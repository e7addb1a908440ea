#!/usr/bin/python3
"""The unit: systemd accepts it, finds it hard, and the daemon speaks its protocol while it is confined as the unit says.

systemd itself does not run here; what it would receive arrives at a socket of this test.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ENC_BUILD", REPO / "build/dev"))
CONFINED = REPO / "tests/deploy/lib/confined.py"
EXPOSURE_MAX = "1.5"
PATIENCE_S = 20


def run(*words, **options):
    return subprocess.run([str(word) for word in words], text=True, capture_output=True, **options)


class Node:
    """enclaved below a service manager that is us."""

    def __init__(self, root, unit, env=(), confined=True):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = root / f"notify-{time.monotonic_ns()}"
        self.socket.bind(str(self.path))
        self.socket.settimeout(PATIENCE_S)
        self.config = root / "enclaved.yaml"
        self.config.write_text("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndrain_timeout_ms: 2000\n")
        before = [CONFINED, unit] if confined else []
        words = [*before, BUILD / "enclaved", "--config", self.config, "--data", root / "data"]
        self.log = open(root / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([str(word) for word in words], stderr=self.log,
                                        env={**os.environ, "NOTIFY_SOCKET": str(self.path), **dict(env)})

    def told(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def expect(self, key):
        """The next datagram that is no WATCHDOG=1 must have this key."""
        got = self.told()
        while "WATCHDOG" in got and key != "WATCHDOG":
            got = self.told()
        assert key in got, got
        return got

    def lines(self):
        text = pathlib.Path(self.log.name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def address(self, listener):
        """Told by the log, which is written behind what happens."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for line in self.lines():
                if line["msg"] == "listening" and line["listener"] == listener:
                    return line["address"]
            time.sleep(0.02)
        raise AssertionError(f"{listener} does not listen")

    def get(self, listener, path):
        with urllib.request.urlopen(f"http://{self.address(listener)}{path}", timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        stopping = self.expect("STOPPING")
        return stopping, self.process.wait(PATIENCE_S)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.socket.close()


def started(body):
    """Run a case with a directory and the installed unit; whatever it opened is closed."""
    def case(prefix):
        unit = prefix / "lib/systemd/system/enclaved.service"
        root = pathlib.Path(tempfile.mkdtemp())
        nodes = []

        def start(**options):
            nodes.append(Node(root, unit, **options))
            return nodes[-1]
        try:
            body(start)
        finally:
            for node in nodes:
                node.close()
            shutil.rmtree(root)
    case.__doc__ = body.__doc__
    return case


def verify(prefix):
    """systemd-analyze verify finds nothing"""
    unit = prefix / "lib/systemd/system/enclaved.service"
    done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit)
    assert done.returncode == 0 and str(unit) not in done.stderr and "enclaved" not in done.stderr, done.stderr


def verify_sees(prefix):
    """systemd-analyze verify finds a wrong key and a missing program"""
    text = (prefix / "lib/systemd/system/enclaved.service").read_text()
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder) / "planted.service"
        for old, new, what in (("NoNewPrivileges=", "NoNewPrivilege=", "Unknown key"),
                               ("/bin/enclaved ", "/bin/nothing ", "not executable")):
            assert old in text
            unit.write_text(text.replace(old, new))
            told = run("systemd-analyze", "verify", "--man=no", unit).stderr
            assert what in told, told


def drop_in(prefix):
    """the drop-in for a key by LoadCredential verifies with the unit"""
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder) / "enclaved.service"
        shutil.copy(prefix / "lib/systemd/system/enclaved.service", unit)
        (pathlib.Path(folder) / "enclaved.service.d").mkdir()
        shutil.copy(prefix / "share/doc/enclaved/node-key.conf", unit.parent / "enclaved.service.d/key.conf")
        done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit)
        assert done.returncode == 0 and "enclaved" not in done.stderr, done.stderr


def security(prefix):
    """systemd-analyze security is content, and notices what is taken away"""
    unit = prefix / "lib/systemd/system/enclaved.service"
    hard = ["systemd-analyze", "security", "--offline=true", f"--threshold={int(float(EXPOSURE_MAX) * 10)}"]
    done = run(*hard, unit)
    print("        " + done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout
    with tempfile.TemporaryDirectory() as folder:
        soft = pathlib.Path(folder) / "enclaved.service"
        soft.write_text(re.sub(r"^(SystemCallFilter|PrivateUsers|User|CapabilityBoundingSet)=.*$", "",
                               unit.read_text(), flags=re.MULTILINE))
        assert run(*hard, soft).returncode != 0


def files(prefix):
    """user, directories and configuration are declared, and the empty configuration is good"""
    root = pathlib.Path(tempfile.mkdtemp())
    (root / "etc").mkdir()
    try:
        done = run("systemd-sysusers", f"--root={root}", prefix / "lib/sysusers.d/enclaved.conf")
        assert done.returncode == 0, done.stderr
        assert "enclaved:" in (root / "etc/passwd").read_text()
        done = run("systemd-tmpfiles", f"--root={root}", "--create", prefix / "lib/tmpfiles.d/enclaved.conf")
        assert done.returncode == 0, done.stderr
        assert (root / "etc/enclaved").stat().st_mode & 0o777 == 0o750
        config = root / "etc/enclaved/enclaved.yaml"
        assert config.stat().st_mode & 0o777 == 0o640
        done = run(prefix / "bin/enclaved", "--config", config, "--check-config")
        assert done.returncode == 0, done.stderr
    finally:
        shutil.rmtree(root)


@started
def confined(start):
    """confined as in the unit it starts, serves, says READY=1, and ends with STOPPING=1"""
    node = start()
    node.expect("READY")
    assert node.get("public", "/info/node")["seq_pub"]
    assert node.get("admin", "/readyz")["status"] == "ready"
    key = pathlib.Path(node.config.parent / "key")
    ctl = [BUILD / "encctl", "--url", f"http://{node.address('public')}", "--key", key, "--json"]
    assert run(BUILD / "encctl", "keygen", key).returncode == 0
    owner = json.loads(run(*ctl, "pubkey").stdout)["pub"]
    manifest = {"enc_v": 1, "RBAC": {"roles": [], "initial_state": {"Owner": [owner]}, "schema": [
        {"event": "Post", "role": "Owner", "ops": ["C"]}, {"event": "*", "role": "Public", "ops": ["R"]}]}}
    made = run(*ctl, "create", "--manifest", "-", input=json.dumps(manifest))
    enclave = json.loads(made.stdout)["enclave"]
    assert json.loads(run(*ctl, "commit", enclave, "Post", "hello").stdout)["seq"] == 1
    assert run(*ctl, "verify", enclave).returncode == 0
    stopping, status = node.stop()
    assert int(stopping["EXTEND_TIMEOUT_USEC"]) >= 2_000_000
    assert status == 0


@started
def filter_holds(start):
    """the confinement of this test is one: no call that is taken away, no memory both writable and executable"""
    with tempfile.NamedTemporaryFile("w", suffix=".service") as unit:
        unit.write("SystemCallFilter=@system-service\nSystemCallFilter=~@network-io\n")
        unit.flush()
        done = run(CONFINED, unit.name, BUILD / "enclaved", "--data", "/nonexistent/x", "--listen", "127.0.0.1:0")
        assert done.returncode != 0
        probe = "import socket\ntry: socket.socket()\nexcept PermissionError: print('refused')"
        assert run(CONFINED, unit.name, "/usr/bin/python3", "-c", probe).stdout == "refused\n"
        probe = "import mmap\ntry: mmap.mmap(-1, 4096, prot=7)\nexcept PermissionError: print('refused')"
        told = run(CONFINED, unit.name, "/usr/bin/python3", "-c", probe)
        assert told.stdout == "refused\n" or "knows no MDWE" in told.stderr, told


@started
def ready_means_ready(start):
    """READY=1 comes when the listeners are there, not before"""
    node = start(confined=False)
    node.expect("READY")
    assert node.get("admin", "/readyz")["status"] == "ready"
    node.stop()


@started
def reload(start):
    """SIGHUP: RELOADING=1, then READY=1, with a good file and a broken one"""
    node = start()
    node.expect("READY")
    for text in ("log_level: warn\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\n", "nonsense: 1\n"):
        node.config.write_text(text)
        node.process.send_signal(signal.SIGHUP)
        assert int(node.expect("RELOADING")["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        node.expect("READY")
    assert node.stop()[1] == 0


@started
def watchdog(start):
    """the watchdog is fed when it is asked for, and only then"""
    node = start(env={"WATCHDOG_USEC": "30000000"})
    node.expect("READY")
    node.expect("WATCHDOG")
    node.expect("WATCHDOG")
    node.stop()
    other = start(env={"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"})
    other.expect("READY")
    other.socket.settimeout(2.5)
    try:
        raise AssertionError(other.told())
    except TimeoutError:
        pass


@started
def stuck(start):
    """while a thread is stuck the watchdog is not fed, and afterwards again"""
    hold = BUILD / "libhold.so"
    assert hold.exists(), "libhold.so is built with the tests"
    prefix = pathlib.Path(tempfile.mkdtemp()) / "hold"
    node = start(confined=False, env={"WATCHDOG_USEC": "30000000", "LD_PRELOAD": str(hold), "HOLD": str(prefix),
                                      "ENCLAVED_WATCHDOG_MS": "3000", "ENCLAVED_THREADS": "3"})
    node.expect("READY")
    host, port = node.address("public").rsplit(":", 1)
    pathlib.Path(f"{prefix}.accept4").touch()
    with socket.create_connection((host, int(port))):
        end = time.monotonic() + PATIENCE_S
        while not any(line["msg"] == "a thread is stuck" for line in node.lines()):
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(0.2)
        node.socket.settimeout(2.5)
        try:
            while True:
                node.told()  # what was sent before it was stuck
                assert time.monotonic() < end, "it is fed"
        except TimeoutError:
            pass
        shutil.rmtree(prefix.parent)
    node.socket.settimeout(PATIENCE_S)
    node.expect("WATCHDOG")


@started
def handover(start):
    """SIGUSR2: MAINPID names the successor, which says READY=1 and feeds the watchdog; nobody says STOPPING=1"""
    node = start(env={"WATCHDOG_USEC": "30000000"})
    node.expect("READY")
    node.process.send_signal(signal.SIGUSR2)
    successor = int(node.expect("MAINPID")["MAINPID"])
    try:
        assert successor != node.process.pid
        node.expect("READY")
        assert node.process.wait(PATIENCE_S) == 0
        node.expect("WATCHDOG")
        assert node.get("admin", "/readyz")["status"] == "ready"
    finally:
        os.kill(successor, signal.SIGTERM)
    node.expect("STOPPING")


@started
def nobody(start):
    """a socket where nobody listens changes nothing"""
    node = start(env={"NOTIFY_SOCKET": "/nonexistent/socket"})
    assert node.get("admin", "/healthz")["status"] == "ok"


CASES = (verify, verify_sees, drop_in, security, files, confined, filter_holds, ready_means_ready, reload, watchdog,
         stuck, handover, nobody)


def main():
    only = re.compile(os.environ.get("ONLY", ""))
    failed = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        prefix = pathlib.Path(folder)
        done = run("cmake", "--install", BUILD, "--prefix", prefix)
        if done.returncode != 0:
            sys.exit(done.stderr)
        for case in CASES:
            what = case.__doc__ or case.__name__
            if not only.search(what):
                continue
            try:
                case(prefix)
                passed += 1
                print(f"ok      {what}")
            except Exception as error:  # pylint: disable=broad-except
                failed += 1
                print(f"FAILED  {what}\n    {error!r}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
