"""Fan-out, beside a process that does nothing but writev."""

import json

import cases
import measure
import report
import room


def write_queries(path, node, case, enclave):
    """A live query for each subscriber."""
    if case.is_sealed:
        room.load("seal", dir=path, enclave=enclave, node=node.seq_pub(), count=case.subscribers)
        return
    query = {"type": "Query", "sub_id": "s", "enclave": enclave,
             "content": {"filter": {"type": "Post"}}}
    (path / "queries.txt").write_text(f"POST / {json.dumps(query)}\n" * case.subscribers)


def deliver(path, node, case, count, seed, through=()):
    enclave, = measure.sign(path, seed, count)
    measure.create(node, path)
    write_queries(path, node, case, enclave)
    got = room.load("fanout", through, port=node.port, pid=node.pid,
                    subscribers=case.subscribers, in_flight=case.in_flight,
                    deflate=int(case.is_deflated), queries=path / "queries.txt", file=path / "commits.txt")
    node.verify(enclave, 1 + count)
    return got


def commits_of(case, frames):
    return max(20, min(frames // case.subscribers, frames // 100))


def fanout_row(path, node, case, frames):
    count = commits_of(case, frames)
    none = deliver(path, node, case._replace(subscribers=0, is_sealed=False), count, f"none {case}")
    got = deliver(path, node, case, count, f"some {case}")
    bare = room.load("writev", subscribers=case.subscribers, count=count, len=got["len"],
                     in_flight=case.in_flight)["us"]
    frame = got["cpu_s"] / got["delivered"] * 1e6
    net = (got["cpu_s"] - none["cpu_s"]) / got["delivered"] * 1e6
    times = [got[name] / 1000 for name in ("p50_us", "p99_us")]
    form = "sealed" if case.is_sealed else "deflated" if case.is_deflated else "clear"
    return [case.subscribers, form, case.in_flight, net / bare, net, frame, bare,
            got["delivered"] / got["wall_s"], *times, node.peak_mib()]


def fanout_table(size, is_large):
    columns = ["subscribers", "form", "in flight", "x floor", "us/frame", "with commit", "writev us",
               "frames/s", "p50 ms", "p99 ms", "peak MiB"]
    rows = []
    for case in cases.FANOUT:
        if case.is_large <= is_large:
            with room.folder() as path, room.Node(path) as node:
                rows.append(fanout_row(path, node, case, size.frames))
    yield report.table("Fan-out", columns, rows)
