"""What is measured: sizes and cases, one row each."""

from typing import NamedTuple


class Size(NamedTuple):
    """How much of everything a run does."""
    commits: int  # of a throughput case
    single: int  # commits of a case with one in flight
    open_s: float  # length of an open loop
    reads: int  # requests of a read case
    leaves: int  # identities in the state tree, and bundles in the log, of the read cases
    frames: int  # deliveries of a fan-out case
    sample: int  # enclaves that are verified after each case
    floor: int  # signatures, and a fifth as many syncs, that a floor is measured with
    runs: int  # of each case of commits; the one in the middle counts


SIZES = {
    "full": Size(60000, 3000, 10, 100000, 1000000, 1000000, 3, 2000, 3),
    "quick": Size(6000, 400, 1.5, 6000, 2000, 60000, 1, 1000, 1),
    "tiny": Size(200, 30, 0.2, 200, 300, 500, 1, 50, 1),
}


class Commits(NamedTuple):
    """A closed loop of posts over one wire."""
    name: str
    wire: str
    enclaves: int
    in_flight: int
    connections: int


COMMITS = [
    Commits("WebSocket, 1 enclave", "ws", 1, 64, 1),
    Commits("WebSocket, 256 enclaves", "ws", 256, 64, 1),
    Commits("HTTP/2, 1 enclave", "h2", 1, 64, 1),
    Commits("HTTP/2, 256 enclaves", "h2", 256, 64, 1),
    Commits("HTTP/1.1, 1 enclave", "h1", 1, 64, 64),
    Commits("HTTP/1.1, 256 enclaves", "h1", 256, 64, 64),
    Commits("WebSocket, 1 enclave, 512 in flight", "ws", 1, 512, 4),
    Commits("WebSocket, 256 enclaves, 512 in flight", "ws", 256, 512, 4),
]

# The cases whose CPU is also shown by stage: of the commits above, of the reads and fan-outs below.
WHERE_COMMITS = ["WebSocket, 1 enclave", "WebSocket, 1 enclave, 512 in flight",
                 "WebSocket, 256 enclaves", "HTTP/2, 1 enclave"]
WHERE_READS = ["query by id", "state proof", "inclusion proof"]
WHERE_WIRE = ("h2", 1)

# One commit in flight: latency without load.
SINGLE = [
    Commits("WebSocket, alone", "ws", 1, 1, 1),
    Commits("HTTP/2, alone", "h2", 1, 1, 1),
    Commits("HTTP/1.1, alone", "h1", 1, 1, 1),
]


class Open(NamedTuple):
    """An open loop at a share of the throughput of a case above."""
    name: str
    of: str
    share: float


OPEN = [
    Open("WebSocket, half load", "WebSocket, 1 enclave", 0.5),
    Open("WebSocket, 256 enclaves, half load", "WebSocket, 256 enclaves", 0.5),
    Open("HTTP/2, half load", "HTTP/2, 1 enclave", 0.5),
    Open("HTTP/1.1, half load", "HTTP/1.1, 1 enclave", 0.5),
]


class Read(NamedTuple):
    """A kind of read; content(world, random) makes the body of one request."""
    name: str
    method: str
    action: str
    enclave: str  # which of the world's: log or state
    content: object
    divisor: int  # a large answer is asked for less often


READS = [
    Read("query by id", "POST", "", "log",
         lambda world, chance: {"filter": {"id": chance.choice(world.ids)}}, 1),
    Read("query, range of 100", "POST", "", "log",
         lambda world, chance: {"filter": {
             "seq": {"start_at": chance.randrange(max(1, world.leaves - 100))}, "limit": 100}}, 10),
    Read("state proof", "POST", "/state", "state",
         lambda world, chance: {"namespace": "rbac", "key": chance.choice(world.identities)}, 1),
    Read("inclusion proof", "POST", "/inclusion", "log",
         lambda world, chance: {"leaf_index": chance.randrange(world.leaves)}, 1),
    Read("tree head", "GET", "/sth", "log", None, 1),
]

READ_WIRES = [("h1", 64), ("h2", 1)]  # with 64 in flight over so many connections


class Fanout(NamedTuple):
    """One enclave and its subscribers."""
    subscribers: int
    in_flight: int  # commits
    is_sealed: bool = False  # each frame for one reader alone
    is_large: bool = False  # only with --large
    is_deflated: bool = False  # frames in permessage-deflate


FANOUT = [
    Fanout(1, 1),
    Fanout(1, 32),
    Fanout(100, 1),
    Fanout(100, 32),
    Fanout(1000, 1),
    Fanout(1000, 32),
    Fanout(1000, 1, is_deflated=True),
    Fanout(1000, 32, is_deflated=True),
    Fanout(1000, 32, is_sealed=True),
    Fanout(10000, 1, is_large=True),
    Fanout(10000, 32, is_large=True),
]

WHERE_FANOUT = Fanout(1000, 32)


class Growth(NamedTuple):
    """The sizes of each curve, the smallest first."""
    commits: int  # of a point of the curve; a share of them where there are many points or one wait
    idle_ms: int  # until an enclave leaves memory
    enclaves: tuple  # in use
    events: tuple  # in one enclave
    identities: tuple  # in one state tree
    live: tuple  # enclaves in memory
    stored: tuple  # enclaves
    open: tuple  # bundles when the node starts


GROWTH = {
    "full": Growth(20000, 3000, (1, 10, 100, 1000, 10000), (1000, 10000, 100000),
                   (10, 100, 1000, 10000, 100000), (100, 1000, 10000),
                   (100, 1000, 10000, 100000), (100, 1000, 10000, 30000)),
    "quick": Growth(2000, 300, (1, 10, 100), (100, 300, 1000), (10, 100, 1000), (10, 100, 1000),
                    (10, 100, 1000), (10, 100, 1000)),
    "tiny": Growth(200, 100, (1, 3), (10, 30), (3, 9), (3, 9), (3, 9), (3, 9)),
}

# One more point of some curves with --large.
GROWTH_LARGE = {"enclaves": 100000, "events": 1000000, "identities": 1000000, "live": 100000,
                "stored": 1000000, "open": 100000}


def growth_of(name, is_large):
    growth = GROWTH[name]
    if not is_large:
        return growth
    return growth._replace(**{curve: (*getattr(growth, curve), last)
                              for curve, last in GROWTH_LARGE.items()})
