"""What all cases do: the floors, presigned commits, enclaves, a look at the log afterwards."""

import os
import random

import room

CHUNK = 51200  # commits or identities signed at a time; reads.GRANTS divides it
WARM_SHARE = 20  # one of so many requests goes before the clock starts
IN_FLIGHT = 64


def floor_us(count):
    """CPU of a verification and a signature."""
    return min(room.load("floor", count=count)["us"] for _ in range(2))


def sync(path, count):
    """Times of a sync of the disk in us: p50_us, p99_us, p999_us, max_us."""
    return room.load("sync", dir=path, count=count)


def sign(path, seed, count, **more):
    """Fresh manifests and commits in path; returns the ids of the enclaves."""
    room.load("sign", dir=path, seed=seed, count=count, **more)
    os.sync()  # else the kernel writes it back when it likes, and syncs of the node wait for that
    return (path / "enclaves.txt").read_text().split()


def create(node, path):
    room.load("send", wire="ws", port=node.port, file=path / "manifests.txt", expect=room.RECEIPT)


def fill(node, path, seed, first, count, **more):
    """Commits number first and so many more to one enclave, in chunks; after each the enclave's id.

    Commits and receipts of the last chunk are in commits.txt and answers.txt.
    """
    for number in range(first, first + count, CHUNK):
        enclave, = sign(path, seed, min(CHUNK, first + count - number), first=number, **more)
        if number == 0:
            create(node, path)
        room.load("send", wire="ws", port=node.port, file=path / "commits.txt",
                  expect=room.RECEIPT, answers=path / "answers.txt")
        yield enclave


def cost_us(got):
    """Server CPU of one accepted request."""
    return got["cpu_s"] / got["accepted"] * 1e6


def verify_some(node, enclaves, sample, count):
    """Of enclaves that took count commits in turn after their Manifests."""
    for at in random.sample(range(len(enclaves)), min(sample, len(enclaves))):
        node.verify(enclaves[at], 1 + (count + len(enclaves) - 1 - at) // len(enclaves))
