"""Commits: as many as go, one in flight, an open loop."""

import cases
import measure
import report
import room

COMMIT_COLUMNS = ["commits", "x floor", "server us", "floor us", "per second", "p50 ms", "p99 ms",
                  "p99.9 ms", "peak MiB", "disk B/event"]


def send_commits(path, case, count, size, rate=None):
    """One row on a fresh node, and the rate that was reached."""
    with room.Node(path) as node:
        enclaves = measure.sign(path, case.name, count, enclaves=case.enclaves)
        measure.create(node, path)
        before = node.disk_len()
        floor = measure.floor_us(size.floor)
        got = room.load("send", wire=case.wire, port=node.port, pid=node.pid, rate=rate,
                        file=path / "commits.txt", in_flight=case.in_flight,
                        connections=case.connections, warm=count // measure.WARM_SHARE,
                        expect=room.RECEIPT)
        floor = min(floor, measure.floor_us(size.floor))
        disk = (node.disk_len() - before) / count
        peak = node.peak_mib()
        measure.verify_some(node, enclaves, size.sample)
    cost = got["cpu_s"] / got["accepted"] * 1e6
    reached = got["accepted"] / got["wall_s"]
    times = [got[name] / 1000 for name in ("p50_us", "p99_us", "p999_us")]
    return [case.name, cost / floor, cost, floor, reached, *times, peak, disk], reached


def commit_table(size):
    rows, peaks = [], {}
    for case in cases.COMMITS:
        with room.folder() as path:
            row, peaks[case.name] = send_commits(path, case, size.commits, size)
            rows.append(row)
    yield report.table("Commits, as many as go", COMMIT_COLUMNS, rows)
    yield from latency_tables(size, peaks)


def latency_tables(size, peaks):
    rows = []
    for case in cases.SINGLE:
        with room.folder() as path:
            sync = measure.sync_us(path, size.floor // 5)
            row, _ = send_commits(path, case, size.single, size)
            sync = min(sync, measure.sync_us(path, size.floor // 5)) / 1000
            rows.append([*row[:8], sync, row[5] / (row[3] / 1000 + sync)])
    columns = [*COMMIT_COLUMNS[:8], "sync p50 ms", "p50 / (floor + sync)"]
    yield report.table("Commits, one in flight", columns, rows)
    named = {case.name: case for case in cases.COMMITS}
    least = rows[0][8] + rows[0][3] / 1000
    rows = []
    for case in cases.OPEN:
        rate = max(1, int(peaks[case.of] * case.share))
        closed = named[case.of]._replace(name=case.name, in_flight=4096)
        count = max(size.single, int(rate * size.open_s))
        with room.folder() as path:
            row, _ = send_commits(path, closed, count, size, rate)
            rows.append([*row[:8], row[6] / least])
    columns = [*COMMIT_COLUMNS[:8], "p99 / (floor + sync)"]
    yield report.table("Commits, open loop", columns, rows)
