"""Commits: as many as go, one in flight, an open loop."""

import os

import cases
import measure
import report
import room

SLOTS = 100  # under way on one connection of an open loop
FIRST = ["commits", "x floor", "server us", "floor us", "per second"]
TIMES = ["p50 ms", "p99 ms", "p99.9 ms", "max ms"]


def send(path, node, case, count, **more):
    """The signed commits in path, to a node that has their enclaves."""
    return room.load("send", wire=case.wire, port=node.port, pid=node.pid,
                     file=path / "commits.txt", in_flight=case.in_flight,
                     connections=case.connections, warm=count // measure.WARM_SHARE,
                     expect=room.RECEIPT, **more)


def send_commits(path, case, count, size, rate=None):
    """A case on a fresh node; its figures by the names of their columns."""
    with room.Node(path) as node:
        enclaves = measure.sign(path, case.name, count, enclaves=case.enclaves)
        measure.create(node, path)
        before = node.used_len()
        floor = measure.floor_us(size.floor)
        got = send(path, node, case, count, rate=rate)
        floor = min(floor, measure.floor_us(size.floor))
        disk = (node.used_len() - before) / count
        peak = node.peak_mib()
        measure.verify_some(node, enclaves, size.sample, count)
    cost = measure.cost_us(got)
    left_s = os.cpu_count() * got["wall_s"] - got["own_s"]
    return {
        "commits": case.name, "x floor": cost / floor, "server us": cost, "floor us": floor,
        "per second": got["accepted"] / got["wall_s"],
        "of cores": got["accepted"] * floor / 1e6 / left_s,
        "p50 ms": got["p50_us"] / 1000, "p99 ms": got["p99_us"] / 1000,
        "p99.9 ms": got["p999_us"] / 1000, "max ms": got["max_us"] / 1000,
        "peak MiB": peak, "disk B/event": disk,
    }


def table(title, columns, results):
    return report.table(title, columns, [[row[name] for name in columns] for row in results])


def middle(runs, by, make):
    """The run in the middle of several, by one of its figures."""
    return sorted((make() for _ in range(runs)), key=lambda row: row[by])[runs // 2]


def closed_loop(case, size):
    with room.folder() as path:
        return send_commits(path, case, size.commits, size)


def alone(case, size):
    """One in flight, beside what work and disk take at least."""
    with room.folder() as path:
        before = measure.sync(path, size.floor // 5)
        row = send_commits(path, case, size.single, size)
        after = measure.sync(path, size.floor // 5)
    row["sync ms"] = min(before["p50_us"], after["p50_us"]) / 1000
    row["least ms"] = row["floor us"] / 1000 + row["sync ms"]
    row["p50 / least"] = row["p50 ms"] / row["least ms"]
    return row


def open_loop(case, peak, least_ms, size):
    """At a share of what the same case reached; late commits count from when they were due."""
    name, of, share = case
    closed = next(row for row in cases.COMMITS if row.name == of)
    case = closed._replace(name=name, in_flight=SLOTS * closed.connections)
    rate = max(1, int(peak * share))
    with room.folder() as path:
        row = send_commits(path, case, max(size.single, int(rate * size.open_s)), size, rate)
        sync = measure.sync(path, size.floor)
    row["sync p99.9 ms"] = sync["p999_us"] / 1000
    row["sync max ms"] = sync["max_us"] / 1000
    row["p99 / least"] = row["p99 ms"] / least_ms
    return row


def commit_tables(size):
    closed = [middle(size.runs, "x floor", lambda: closed_loop(case, size))
              for case in cases.COMMITS]
    yield table("Commits, as many as go",
                [*FIRST, "of cores", *TIMES, "peak MiB", "disk B/event"], closed)
    single = [middle(size.runs, "p50 ms", lambda: alone(case, size)) for case in cases.SINGLE]
    yield table("Commits, one in flight", [*FIRST, *TIMES, "sync ms", "p50 / least"], single)
    peaks = {row["commits"]: row["per second"] for row in closed}
    least_ms = min(row["least ms"] for row in single)
    opened = [middle(size.runs, "p99 ms", lambda: open_loop(case, peaks[case.of], least_ms, size))
              for case in cases.OPEN]
    yield table("Commits, open loop",
                [*FIRST, *TIMES, "sync p99.9 ms", "sync max ms", "p99 / least"], opened)
