"""What a directory must hold, by what was acknowledged.

A worker does random operations in a directory of its own, and tells a log outside the mount before each ("begin") and after it
("done"). So at any moment at most one operation of a worker is under way. After a crash, replay() gives the state by all that
was acknowledged, and resolve() compares it with the directory: what is under way may have happened or not, in the ways
that its promise allows; everything else must be as it was. resolve() returns the state that was found, to go on from.

Content is a list of pieces [seed, length, generation], so that the log needs no bytes; a file's bytes are their
concatenation. Pieces of one seed and different generations hardly differ, as checkpoints do.

In a bounded cache (evicts=True) a file may be gone at any moment, and that is no fault; what is there must still be right.
"""
import errno
import functools
import hashlib
import json
import os
import random
import struct

BLOCK = 1 << 16


@functools.lru_cache(maxsize=64)
def base_bytes(seed, length):
    data = random.Random(seed).randbytes(length)
    if seed % 3 or length < 4096:
        return data
    # A safetensors file of two F32 tensors, or of one and its upper halves as BF16.
    body = (length - 512) // 12 * 12
    half = body // 3 * 2 if seed % 2 else body // 2
    header = json.dumps({"a": {"dtype": "F32", "shape": [half // 4], "data_offsets": [0, half]},
                         "b": {"dtype": "BF16" if seed % 2 else "F32", "shape": [half // 4], "data_offsets": [half, body]}})
    data = bytearray(data[:body])
    if seed % 2:
        data[half::2], data[half + 1::2] = data[2:half:4], data[3:half:4]
    return struct.pack("<Q", 504) + header.encode().ljust(504) + data


@functools.lru_cache(maxsize=64)
def piece(seed, length, generation):
    data = bytearray(base_bytes(seed, length))
    if generation:
        change = random.Random(seed * 1000003 + generation)
        for at in range(1024, len(data) - 1200, BLOCK):
            data[at:at + 1000] = change.randbytes(1000)
        if len(data) < 2048 and data:
            data[generation % len(data)] ^= 1 + generation % 255
    return bytes(data)


def content(pieces):
    return b"".join(piece(*p) for p in pieces)


@functools.lru_cache(maxsize=4096)
def digest_of(key):
    return hashlib.sha256(content(json.loads(key))).hexdigest()


def digest(pieces):
    return digest_of(json.dumps(pieces))


class Wrong(Exception):
    """The directory is not what was acknowledged."""


# --- the worker's side ---

def write_all(fd, data, rng):
    """In calls of various sizes, as programs do."""
    at = 0
    while at < len(data):
        step = rng.choice([4096, 65536, 1 << 20, 1 << 20])
        at += os.write(fd, data[at:at + step])


def put(path, data, flags, rng, sync):
    fd = os.open(path, flags, 0o644)
    try:
        write_all(fd, data, rng)
        if sync:
            os.fsync(fd)
    finally:
        os.close(fd)  # raises when the file is not complete


def perform(top, op, rng):
    """Carries an operation out; raises OSError when it is not acknowledged."""
    kind, path = op["op"], os.path.join(top, op["path"])
    if kind == "save":
        put(path + ".tmp", content(op["new"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, rng, op["sync"])
        os.rename(path + ".tmp", path)
    elif kind == "rewrite":
        put(path, content(op["new"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, rng, op["sync"])
    elif kind == "append":
        put(path, content(op["more"]), os.O_WRONLY | os.O_APPEND, rng, op["sync"])
    elif kind == "unlink":
        os.unlink(path)
    elif kind == "rename":
        os.rename(path, os.path.join(top, op["to"]))
    elif kind == "link":
        os.link(path, os.path.join(top, op["to"]))
    elif kind == "swap":
        os.unlink(path)
        put(path, content(op["new"]), os.O_WRONLY | os.O_CREAT | os.O_EXCL, rng, op["sync"])


def new_pieces(rng, old):
    """Small, or checkpoint-like: often a later generation of what was there."""
    if old and len(old) == 1 and rng.random() < 0.6:
        seed, length, generation = old[0]
        return [[seed, length, generation + 1]]
    if rng.random() < 0.55:
        return [[rng.randrange(1, 10**6), rng.choice([0, 1, 200, 5000, 20000, 32768, 32769, 50000]), 0]]
    return [[rng.randrange(1, 60), rng.choice([200000, 700000, 1500000, 3000000]), 0]]


def choose(rng, state, evicts=False):
    """An operation that makes sense in `state` ({path: pieces}). Of an evicted name the others of its inode do not know."""
    names, fresh = sorted(state), f"f{rng.randrange(40)}"
    if not names or len(names) < 5 or rng.random() < 0.35:
        return {"op": "save", "path": fresh, "new": new_pieces(rng, state.get(fresh)), "sync": rng.random() < 0.2}
    path = rng.choice(names)
    kind = rng.choice(["rewrite", "rewrite", "append", "append", "unlink", "rename", "swap"] + ["link"] * (not evicts))
    op = {"op": kind, "path": path, "sync": rng.random() < 0.2}
    if kind in ("rewrite", "swap"):
        op["new"] = new_pieces(rng, state[path])
    elif kind == "append":
        if sum(p[1] for p in state[path]) > 8 << 20:
            return {"op": "unlink", "path": path}
        op["more"] = [[rng.randrange(1, 10**6), rng.choice([1, 4096, 100000, 400000]), 0]]
    elif kind in ("rename", "link"):
        op["to"] = fresh
        if fresh == path or (kind == "link" and fresh in state):
            return {"op": "unlink", "path": path}
    return op


def apply(state, links, op):
    """The state after an acknowledged operation. `links` maps a path to the set of paths of the same inode."""
    kind, path = op["op"], op["path"]
    same = links.get(path, {path})
    if kind == "save" or kind == "swap":
        separate(links, path)
        state[path] = op["new"]
    elif kind == "rewrite":
        for name in same:
            state[name] = op["new"]
    elif kind == "append":
        for name in same:
            state[name] = state[name] + op["more"]
    elif kind == "unlink":
        separate(links, path)
        del state[path]
    elif kind == "rename":
        if op["to"] in same:
            return
        separate(links, op["to"])
        state[op["to"]] = state.pop(path)
        group = (same - {path}) | {op["to"]}
        links.pop(path, None)
        regroup(links, group)
    elif kind == "link":
        state[op["to"]] = state[path]
        regroup(links, same | {op["to"]})


def separate(links, path):
    group = links.pop(path, {path}) - {path}
    regroup(links, group)


def regroup(links, group):
    for name in group:
        if len(group) > 1:
            links[name] = group
        else:
            links.pop(name, None)


def was_evicted(error, op):
    """What an operation on a file that has gone says; a save needs none to be there."""
    return error.errno in (errno.ENOENT, errno.ESTALE) and op["op"] in ("append", "unlink", "rename", "swap")


def work(top, log_path, state, links, seed, limit, evicts=False):
    """The worker: until an operation fails or `limit` operations are done."""
    rng = random.Random(seed)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(record):
        os.write(log, (json.dumps(record) + "\n").encode())

    for _ in range(limit):
        op = choose(rng, state, evicts)
        note({"begin": op})
        try:
            perform(top, op, rng)
        except OSError as error:
            if not evicts or not was_evicted(error, op):
                raise
            note({"missed": True})
            del state[op["path"]]
            continue
        note({"done": True, "sha256": digest(op["new"]) if "new" in op else None})
        apply(state, links, op)


# --- the judge's side ---

def replay(log_path, state, links):
    """Applies what was acknowledged; returns the operation under way, or None."""
    pending = None
    if not os.path.exists(log_path):
        return None
    with open(log_path) as file:
        for line in file:
            record = json.loads(line)
            if "begin" in record:
                pending = record["begin"]
            elif "missed" in record:
                del state[pending["path"]]
                pending = None
            else:
                apply(state, links, pending)
                pending = None
    return pending


def look(path):
    with open(path, "rb") as file:
        return file.read(), os.fstat(file.fileno()).st_size


def found_in(top, evicts=False):
    found = {}
    for name in os.listdir(top):
        try:
            data, size = look(os.path.join(top, name))
        except OSError as error:
            if evicts and error.errno in (errno.ENOENT, errno.ESTALE):
                continue
            raise
        if size != len(data):
            raise Wrong(f"{name}: stat says {size} bytes, {len(data)} were read")
        found[name] = data
    return found


def is_whole(data, pieces):
    return data is not None and hashlib.sha256(data).hexdigest() == digest(pieces)


def describe(data, pieces):
    want = content(pieces)
    if data is None:
        return f"lost ({len(want)} bytes)"
    for at, (a, b) in enumerate(zip(data, want)):
        if a != b:
            return f"{len(data)} bytes, expected {len(want)}; first difference at {at}"
    return f"{len(data)} bytes, expected {len(want)}; equal up to the shorter"


def in_between(data, old, new):
    """While a file is rewritten in place (truncated, then written): any prefix of the new bytes, or still the old ones."""
    return is_whole(data, old) if old is not None and is_whole(data, old) else content(new).startswith(data)


def pending_outcome(found, state, links, op):
    """The names an operation under way may touch, each checked; returns {path: pieces or None or bytes}."""
    kind, path = op["op"], op["path"]
    old, data = state.get(path), found.get(path)
    names = links.get(path, {path})
    if kind == "save":
        found.pop(path + ".tmp", None)
        if old is None and data is None:
            return {path: None}
        if is_whole(data, op["new"]):
            return {path: op["new"]}
        if old is not None and is_whole(data, old):
            return {}
        raise Wrong(f"{path}: neither old nor new after a save: {describe(data, op['new'])}")
    if kind == "swap":
        if old is not None and is_whole(data, old):
            return {}
        if data is None or content(op["new"]).startswith(data):
            return {path: data}
        raise Wrong(f"{path}: after a swap: {describe(data, op['new'])}")
    if kind == "rewrite":
        if data is None or not in_between(data, old, op["new"]):
            raise Wrong(f"{path}: after a rewrite: {describe(data, op['new'])}")
        return dict.fromkeys(names, data)
    if kind == "append":
        whole = content(old + op["more"])
        if data is None or len(data) < len(content(old)) or not whole.startswith(data):
            raise Wrong(f"{path}: after an append: {describe(data, old + op['more'])}")
        return dict.fromkeys(names, data)
    if kind == "unlink":
        return {path: None} if data is None else {}
    to = op["to"]
    if kind == "link":
        return {} if to not in found else {to: old}
    if path in found:  # a rename that did not happen, or one between names of one inode
        return {}
    return {path: None, to: old}


def resolve(top, state, links, pending, evicts=False):
    """Checks the directory against the state; returns the state and links to go on from. Raises Wrong."""
    found = found_in(top, evicts)
    missed = evicts and pending and pending["op"] not in ("rename", "link") and pending["path"] not in found
    if missed:
        found.pop(pending["path"] + ".tmp", None)
    outcome = {pending["path"]: None} if missed else pending_outcome(found, state, links, pending) if pending else {}
    expected = dict(state)
    kept = {}
    for path, what in outcome.items():
        expected.pop(path, None)
        if isinstance(what, bytes):
            if found.get(path) != what:
                raise Wrong(f"{path}: names of one inode differ")
            kept[path] = None
        elif what is not None:
            expected[path] = what
    if evicts:
        expected = {path: pieces for path, pieces in expected.items() if path in found}
    for path, pieces in expected.items():
        if not is_whole(found.get(path), pieces):
            raise Wrong(f"{path}: {describe(found.get(path), pieces)}")
    extra = set(found) - set(expected) - set(kept)
    if extra:
        raise Wrong(f"there should be no {sorted(extra)}")
    # What was cut short is removed, so that the next round starts from whole files.
    for path in kept:
        remove(os.path.join(top, path))
    if pending and pending["op"] == "save":
        remove(os.path.join(top, pending["path"] + ".tmp"))
    return expected, {} if evicts else links_in(top, expected)


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def links_in(top, state):
    by_inode = {}
    for path in state:
        by_inode.setdefault(os.stat(os.path.join(top, path)).st_ino, set()).add(path)
    return {path: group for group in by_inode.values() if len(group) > 1 for path in group}
