"""Growth: what a thing costs while the enclaves, events or identities around it become more."""

import math
import statistics
import time

import cases
import measure
import reads
import report
import room

FLAT_MAX = 1.3  # times the value at the smallest size; noise is less
LEFT_SHARE = 0.05  # of the memory of live enclaves, that may stay after all have retired
LEFT_MIB = 2
RETIRE_S = 60
GRANTS_IN_FLIGHT = 8  # so that an enclave of ten identities gets ten more as one of many does
STARTS = 3
NEVER_MS = 3600000


def apart(sizes, values):
    """What the best straight line through the points leaves unsaid."""
    slope, intercept = statistics.linear_regression(sizes, values)
    return sum((value - intercept - slope * size) ** 2 for size, value in zip(sizes, values))


def shape(sizes, values):
    if max(values) <= FLAT_MAX * values[0]:
        return "flat"
    is_log = apart([math.log(size) for size in sizes], values) <= apart(sizes, values)
    return "logarithmic" if is_log else "grows"


class Curves:
    """Tables whose judged columns get a quotient beside them and a verdict at the end."""

    def __init__(self):
        self.verdicts = []

    def table(self, title, columns, judged, rows):
        """The first column is the size; judged are names of others."""
        rows = [list(row) for row in rows]
        sizes = [row[0] for row in rows]
        for name in judged:
            at = columns.index(name)
            values = [row[at] for row in rows]
            quotients = [value / values[0] for value in values]
            self.verdicts.append([f"{title}: {name}", sizes[0], sizes[-1], quotients[-1],
                                  shape(sizes, values)])
            columns = [*columns[:at + 1], "/ first", *columns[at + 1:]]
            rows = [[*row[:at + 1], quotient, *row[at + 1:]]
                    for row, quotient in zip(rows, quotients)]
        return report.table(f"Growth, {title}", columns, rows)

    def verdict_table(self):
        return report.table("Growth, verdicts", ["curve", "from", "to", "last / first", "verdict"],
                            self.verdicts)


def send(node, path, file="commits.txt", **how):
    return room.load("send", wire="ws", port=node.port, pid=node.pid, file=path / file,
                     expect=room.RECEIPT, **how)


def against_floor(size, work):
    """Figures of some work, and the floor at that time."""
    floor = measure.floor_us(size.floor)
    got = work()
    return got, min(floor, measure.floor_us(size.floor))


def cost_cells(got, floor):
    cost = measure.cost_us(got)
    return [cost / floor, cost, floor]


def enclave_rows(size, growth):
    """Everything is live: what more enclaves cost, and not what it costs to wake them."""
    for enclaves in growth.enclaves:
        limits = {"IDLE_MS": 3600000, "LIVE_ENCLAVES": 2 * enclaves + 16}
        count = max(growth.commits, enclaves)
        with room.folder() as path, room.Node(path, limits) as node:
            ids = measure.sign(path, "growth", count, enclaves=enclaves)
            measure.create(node, path)
            got, floor = against_floor(size, lambda: send(
                node, path, warm=count // measure.WARM_SHARE))
            measure.verify_some(node, ids, size.sample, count)
        yield [enclaves, *cost_cells(got, floor), got["accepted"] / got["wall_s"]]


def fill(node, path, seed, first, count, **more):
    """Commits number first to count of one enclave; its id."""
    return list(measure.fill(node, path, seed, first, count, **more))[-1]


def event_rows(size, growth):
    with room.folder() as path, room.Node(path) as node:
        start, held = node.used_len(), 0
        for events in growth.events:
            enclave = fill(node, path, "growth", held, events - held)
            disk = (node.used_len() - start) / events
            probe = min(events, growth.commits // 5)
            measure.sign(path, "growth", probe, first=events)
            got, floor = against_floor(size, lambda: send(node, path))
            held = events + probe
            yield [events, *cost_cells(got, floor), disk]
        node.verify(enclave, 1 + held)


def prove(node, path, enclave, count):
    """State proofs of identities that were in the last commits of the fill."""
    lines = [reads.line("POST", f"/enclave/{enclave}/state",
                        reads.body(enclave, {"namespace": "rbac", "key": identity}))
             for commit in open(path / "commits.txt")
             for identity in reads.granted(commit)]
    reads.write_requests(path / "reads.txt", lines, count)
    got = room.load("send", wire="h2", port=node.port, pid=node.pid, file=path / "reads.txt",
                    warm=count // measure.WARM_SHARE, expect='{"type":"Response"')
    return measure.cost_us(got), len(reads.answer_of(path, node, lines[0]))


def grant_rounds(node, path, growth, identities):
    """Grants to enclaves of so many identities each; a proof of the first; the last one's id."""
    grants = min(growth.commits // 20, identities)
    gots = []
    for number in range(max(1, growth.commits // 20 // identities)):
        seed = f"growth {number}"
        enclave = fill(node, path, seed, 0, identities, grants=reads.GRANTS)
        if number == 0:
            proof = prove(node, path, enclave, growth.commits // 4)
        measure.sign(path, seed, grants, first=identities, grants=1)
        gots.append(send(node, path, in_flight=GRANTS_IN_FLIGHT))
    node.verify(enclave, 1 + math.ceil(identities / reads.GRANTS) + grants)
    return {name: sum(got[name] for got in gots) for name in ("cpu_s", "accepted")}, proof


def identity_row(size, growth, identities):
    """Few Grants to an enclave of few identities: it must stay one. So to many of them."""
    with room.folder() as path, room.Node(path) as node:
        (got, proof), floor = against_floor(
            size, lambda: grant_rounds(node, path, growth, identities))
    return [identities, *cost_cells(got, floor), *proof]


def wait_until_retired(node):
    """A bundle of one event leaves no timer that would wake its enclave again."""
    end = time.monotonic() + RETIRE_S
    while node.gauge("enclaved_enclaves_live"):
        if time.monotonic() > end:
            raise room.Failed("enclaves that do not retire")
        time.sleep(0.05)


def memory_round(node, path, seed, enclaves):
    """So many new enclaves come and go: those in memory at once, MiB then, MiB afterwards."""
    measure.sign(path, seed, 1, enclaves=enclaves, bundle=1)
    measure.create(node, path)
    live, mib = node.gauge("enclaved_enclaves_live"), node.anon_mib()
    wait_until_retired(node)
    return live, mib, node.anon_mib()


def memory_row(growth, enclaves):
    limits = {"IDLE_MS": max(growth.idle_ms, enclaves // 4), "LIVE_ENCLAVES": 2 * enclaves + 16}
    with room.folder() as path, room.Node(path, limits) as node:
        wait_until_retired(node)
        start = node.anon_mib()
        live, full, after = memory_round(node, path, "growth", enclaves)
        _, _, again = memory_round(node, path, "growth again", enclaves)
    slack = LEFT_MIB + LEFT_SHARE * (full - start)
    word = "returns" if after - start <= slack else "kept" if again - after <= slack else "grows"
    return [enclaves, (full - start) * 1024 / live, start, full, after, again, word]


def wake_row(node, path, growth, stored):
    """The first commit of retired enclaves, and the second; one in flight."""
    count = min(stored, growth.commits // 100)
    for name, first in (("warm.txt", stored), ("cold.txt", 0)):
        measure.sign(path, "growth", count, enclaves=stored, first=first, bundle=1)
        (path / "commits.txt").rename(path / name)
    measure.create(node, path)
    wait_until_retired(node)
    cold, warm = (send(node, path, file, in_flight=1) for file in ("cold.txt", "warm.txt"))
    if node.gauge("enclaved_enclaves_live") < count:
        raise room.Failed("enclaves retired between their first and second commit")
    times = [got["p50_us"] / 1000 for got in (cold, warm)]
    return [stored, *times, *map(measure.cost_us, (cold, warm))]


def start_ms(path):
    """The smallest: starts of the same data differ only by what disturbs them."""
    times = []
    for _ in range(STARTS):
        with room.Node(path) as node:
            times.append(node.start_ms)
    return min(times)


def stored_row(growth, stored):
    with room.folder() as path:
        with room.Node(path, {"IDLE_MS": growth.idle_ms}) as node:
            row = wake_row(node, path, growth, stored)
        return [*row, start_ms(path)]


def open_row(enclaves):
    """Stopped before the bundles of the Manifests are due."""
    with room.folder() as path:
        with room.Node(path) as node:
            measure.sign(path, "growth", 1, enclaves=enclaves, bundle_ms=NEVER_MS)
            measure.create(node, path)
        return [enclaves, start_ms(path)]


def tables(size, growth):
    curves = Curves()
    floors = ["x floor", "server us", "floor us"]
    yield curves.table("enclaves in use", ["enclaves", *floors, "per second"], ["x floor"],
                       enclave_rows(size, growth))
    yield curves.table("events in an enclave", ["events", *floors, "disk B/event"],
                       ["x floor", "disk B/event"], event_rows(size, growth))
    yield curves.table("identities in an enclave",
                       ["identities", *floors, "proof us", "proof bytes"], ["x floor", "proof us"],
                       (identity_row(size, growth, count) for count in growth.identities))
    yield curves.table("memory", ["enclaves", "KiB each", "start MiB", "live MiB", "retired MiB",
                                  "and again", "memory"], ["KiB each"],
                       (memory_row(growth, count) for count in growth.live))
    yield curves.table("stored enclaves",
                       ["stored", "cold p50 ms", "warm p50 ms", "cold us", "warm us", "start ms"],
                       ["cold p50 ms", "cold us", "start ms"],
                       (stored_row(growth, count) for count in growth.stored))
    yield curves.table("bundles open at the start", ["open", "start ms"], ["start ms"],
                       (open_row(count) for count in growth.open))
    yield curves.verdict_table()
