"""Reads, each beside an h2o handler that answers with the same bytes."""

import json
import random
import uuid

import cases
import measure
import report
import room

GRANTS = 256  # identities in a commit
READ_BODIES = 2000  # different requests of a case


def granted(commit):
    """The identities that a line of commits.txt gives a role, if any."""
    commit = json.loads(commit.split(" ", 2)[2])
    is_bundle = commit["type"] == "AC_Bundle"
    operations = json.loads(commit["content"])["operations"] if is_bundle else []
    return [entry["identity"] for entry in operations]


def body(enclave, content):
    return json.dumps({"type": "Query", "enclave": enclave, "content": content},
                      separators=(",", ":"))


def line(method, path, text):
    return f"{method} {path} {text}\n"


class World:
    """A node with an enclave of many bundles and an enclave of many identities."""

    def __init__(self, node, path, leaves):
        self.leaves = leaves
        self.ids, self.identities = [], []
        self.commits = {"log": leaves, "state": 0}
        name = uuid.uuid4().hex
        self.enclaves = {"log": self._grow(node, path, f"log {name}", bundle=1),
                         "state": self._grow(node, path, f"state {name}", grants=GRANTS)}

    def _grow(self, node, path, seed, **more):
        for enclave in measure.fill(node, path, seed, 0, self.leaves, **more):
            self._remember(path)
        return enclave

    def _remember(self, path):
        """A few ids and identities out of every chunk: the reads go everywhere."""
        keep = max(1, READ_BODIES * measure.CHUNK // max(self.leaves, measure.CHUNK))
        with open(path / "answers.txt") as receipts, open(path / "commits.txt") as commits:
            for number, (receipt, commit) in enumerate(zip(receipts, commits)):
                identities = granted(commit)
                if identities:
                    self.commits["state"] += 1
                    self.identities += identities[:keep]
                elif number < keep:
                    self.ids.append(json.loads(receipt)["id"])

    def requests(self, case):
        """The lines of a case, in an order that is the same in every run."""
        chance = random.Random(case.name)
        enclave = self.enclaves[case.enclave]
        path = f"/enclave/{enclave}{case.action}"
        for _ in range(READ_BODIES):
            content = case.content and body(enclave, case.content(self, chance))
            yield line(case.method, path, content or "")


def write_requests(file, lines, count):
    with open(file, "w") as out:
        for at in range(count):
            out.write(lines[at % len(lines)])
    return file


def answer_of(path, node, line):
    """What the node says to one request."""
    answers = path / "answer.txt"
    room.load("send", wire="h1", port=node.port, answers=answers,
              file=write_requests(path / "one.txt", [line], 1))
    return answers.read_text().rstrip("\n")


def drive_options(case, wire, file):
    """How the load program sends the requests of a file."""
    expect = '{"type":"Response"' if case.content else "{"
    return {"wire": wire[0], "connections": wire[1], "in_flight": measure.IN_FLIGHT, "file": file,
            "expect": expect, "warm": sum(1 for _ in open(file)) // measure.WARM_SHARE}


def read_row(path, node, case, wire, file):
    """A read beside a handler that knows the answer."""
    how = drive_options(case, wire, file)
    got = room.load("send", port=node.port, pid=node.pid, **how)
    with room.Floor(path / "body") as floor:
        bare = room.load("send", port=floor.port, pid=floor.pid, **how)
    cost, least = measure.cost_us(got), measure.cost_us(bare)
    times = [got[name] / 1000 for name in ("p50_us", "p99_us", "p999_us")]
    return [f"{case.name}, {wire[0]}", cost / least, cost, least, got["accepted"] / got["wall_s"],
            *times, (path / "body").stat().st_size]


def read_rows(path, node, world, case, count):
    lines = list(world.requests(case))
    file = write_requests(path / "reads.txt", lines, count // case.divisor)
    (path / "body").write_text(answer_of(path, node, lines[0]))
    return [read_row(path, node, case, wire, file) for wire in cases.READ_WIRES]


def read_table(size):
    columns = ["reads", "x floor", "server us", "h2o us", "per second", "p50 ms", "p99 ms",
               "p99.9 ms", "bytes"]
    with room.folder() as path, room.Node(path) as node:
        world = World(node, path, size.leaves)
        rows = []
        for case in cases.READS:
            rows += read_rows(path, node, world, case, size.reads)
        for name, enclave in world.enclaves.items():
            node.verify(enclave, 1 + world.commits[name])
    yield report.table(f"Reads, {size.leaves:,} leaves in state and log", columns, rows)
