"""More tests of tests/dedup/run, which imports this: what a run leaves beside the records, and what of it is left when it
goes wrong."""
import collections
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
import time

from __main__ import PACK, TOOL, UNPACK, Skip, corpus, jsonl, nothing_in, refused, run, summary, test


def roaring(data):
    """The values of a bitmap, by the format's specification."""
    at = 0

    def take(form):
        nonlocal at
        found = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return found

    cookie, = take("I")
    if cookie & 0xffff == 12347:
        count, = (cookie >> 16) + 1,
        runs = take(f"{(count + 7) // 8}B")
    else:
        assert cookie == 12346
        count, = take("I")
        runs = None
    heads = [take("HH") for _ in range(count)]
    if runs is None or count >= 4:
        take(f"{count}I")
    values = []
    for i, (key, cardinality) in enumerate(heads):
        high = key << 16
        if runs and runs[i // 8] >> (i % 8) & 1:
            for _ in range(take("H")[0]):
                start, length = take("HH")
                values += range(high + start, high + start + length + 1)
        elif cardinality + 1 > 4096:
            words = take("1024Q")
            values += [high + 64 * w + b for w, word in enumerate(words) for b in range(64) if word >> b & 1]
        else:
            values += [high + v for v in take(f"{cardinality + 1}H")]
    assert at == len(data)
    return values


def place(text):
    path, line = text.rsplit(":", 1)
    return path, int(line)


@test
def one_file_for_all(work):
    parts = [jsonl(["a", "b"]), b'{"text": "c"}', b'\n{"text": "a"}\n{"text": "d"}']
    for i, part in enumerate(parts):
        (work / f"{i}.jsonl").write_bytes(part)
    wanted = parts[0] + b'{"text": "c"}\n\n{"text": "d"}\n'
    for suffix in PACK:
        out = work / f"all.jsonl{suffix}"
        run(work / "?.jsonl", "-o", out, "-T", 3)
        assert UNPACK[suffix](out.read_bytes()) == wanted, UNPACK[suffix](out.read_bytes())
        assert (work / f"{out.name}.mithril-dedup/run.json").exists()
    refused("is there already", 2, work / "?.jsonl", "-o", work / "all.jsonl")
    refused("would replace an input", 2, work / "?.jsonl", "-o", work / "0.jsonl", "--force")
    assert (work / "0.jsonl").read_bytes() == parts[0]
    (work / "x.txt").write_text("a\n")
    refused(["text and JSON", "directory"], 2, work / "0.jsonl", work / "x.txt", "-o", work / "both.jsonl")
    (work / "d.jsonl").mkdir()
    run(work / "x.txt", "-o", work / "d.jsonl")
    assert (work / "d.jsonl/x.txt").read_text() == "a\n"
    run(work / "x.txt", "-o", work / "plain.gz")
    assert (work / "plain.gz/x.txt").exists()


@test
def the_mask_is_what_stays(work):
    texts = corpus(3000, seed=21)
    (work / "a.jsonl").write_bytes(b"\n" + jsonl(texts[:1000]) + b'{"text": 5}\n')
    (work / "b.jsonl").write_bytes(jsonl(texts[1000:]))
    files = [work / "a.jsonl", work / "b.jsonl"]
    run(*files, "-o", work / "out", "--mask", work / "mask", "--on-error", "skip")
    lines = [line for f in files for line in f.read_bytes().splitlines()]
    kept = roaring((work / "mask").read_bytes())
    assert kept[0] == 0 and 1001 not in kept
    out = [line for f in files for line in (work / "out" / f.name).read_bytes().splitlines()]
    assert [lines[i] for i in kept] == out
    (work / "long.txt").write_bytes(b"".join(b"x%d\n" % (i // 3) if 90000 < i < 95000 else b"%d\n" % i for i in range(200000)))
    run(work / "long.txt", "-m", "exact", "--mask", work / "long")
    assert roaring((work / "long").read_bytes()) == [i for i in range(200000) if not 90000 < i < 95000 or i % 3 == 0 or i == 90001]
    assert (work / "long").stat().st_size < 9000
    (work / "none.txt").write_bytes(b"")
    run(work / "none.txt", "--mask", work / "none")
    assert roaring((work / "none").read_bytes()) == []
    refused("is there already", 2, work / "none.txt", "--mask", work / "none")
    refused("would replace an input", 2, work / "none.txt", "--mask", work / "none.txt", "--force")


@test
def clusters_are_the_duplicates_together(work):
    texts = corpus(3000, seed=22)
    for part in range(2):
        (work / f"{part}.jsonl").write_bytes(jsonl(texts[part::2]))
    files = [work / "0.jsonl", work / "1.jsonl"]
    for keep in ("first", "longest"):
        run(*files, "--clusters", work / f"{keep}.gz", "--duplicates", work / f"{keep}.dup", "--keep", keep)
        wanted = collections.defaultdict(list)
        for line in (work / f"{keep}.dup").read_text().splitlines():
            d = json.loads(line)
            wanted[d["anchor"]].append({"id": d["id"], "similarity": d["similarity"], "method": d["method"]})
            at, of = (texts[2 * (place(d[k])[1] - 1) + int(place(d[k])[0][-7])] for k in ("id", "anchor"))
            assert (at == of) <= (d["method"] == "exact")
        got = [json.loads(line) for line in UNPACK[".gz"]((work / f"{keep}.gz").read_bytes()).splitlines()]
        assert {c["keeper"]: c["members"] for c in got} == wanted and len(got) == len(wanted) > 100
        assert all(c["size"] == len(c["members"]) + 1 for c in got)
        assert [place(c["keeper"]) for c in got] == sorted(place(c["keeper"]) for c in got)
    assert {m["method"] for c in got for m in c["members"]} == {"exact", "near"}


@test
def a_run_leaves_its_record(work):
    (work / "in.jsonl").write_bytes(jsonl(["a", "b", "a"]))
    told = summary("in.jsonl", "-o", "out", "-t", ".7", "--duplicates", "dup", cwd=work)
    left = json.loads((work / "out/.mithril-dedup/run.json").read_text())
    for d in (told, left["summary"]):
        d.pop("seconds"), d.pop("resident_bytes")
    assert left["summary"] == told and left["options"]["threshold"] == .7 and left["options"]["method"] == "near"
    stat = (work / "in.jsonl").stat()
    assert left["inputs"] == [{"path": "in.jsonl", "format": "jsonl", "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns, "again": True}]
    assert left["directory"] == str(work.resolve()) and left["output"] == "out"
    if ".zst" in UNPACK:
        assert UNPACK[".zst"]((work / "out/.mithril-dedup/duplicates.jsonl.zst").read_bytes()) == (work / "dup").read_bytes()
    (work / "b.jsonl").write_bytes(jsonl(["b"]))
    run("b.jsonl", "-o", "out", cwd=work)
    assert json.loads((work / "out/.mithril-dedup/run.json").read_text())["inputs"][0]["path"] == "b.jsonl"
    run("b.jsonl", "-o", "out2", "--no-record", cwd=work)
    assert os.listdir(work / "out2") == ["b.jsonl"]
    run("b.jsonl", "-n", "--record", "only", cwd=work)
    assert sorted(os.listdir(work / "only")) == ["duplicates.jsonl.zst", "run.json"]
    run("b.jsonl", "-n", "-o", "out3", cwd=work)
    assert not (work / "out3").exists()
    odd = os.fsdecode(b"caf\xe9 \"x\".jsonl")
    (work / odd).write_bytes(jsonl(["a", "a"]))
    run(odd, "-o", "out4", cwd=work)
    assert json.loads((work / "out4/.mithril-dedup/run.json").read_text())["inputs"][0]["path"] == 'caf? "x".jsonl'


@test
def a_disk_that_fills_while_lists_are_written(work):
    """Whatever does not fit, neither records nor lists are there afterwards, and what was there before still is."""
    (work / "in.jsonl").write_bytes(b'{"text": "x"}\n' * 40000)
    (work / "bad.jsonl").write_bytes(b'{"text": "x"}\n' + b'{"text": 1}\n' * 40000)
    (work / "small").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", work / "small"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("a small file system needs root")
    try:
        (work / "small/mine").write_text("mine")
        for words in (["--duplicates", work / "small/dup", "-o", work / "out"], ["--clusters", work / "small/clusters", "-o", work / "out"],
                      ["--duplicates", work / "dup", "--clusters", work / "small/clusters", "--mask", work / "mask"]):
            why = refused("No space left", 3, work / "in.jsonl", *words)
            assert "/small/" in why
            nothing_in(work / "out")
            assert os.listdir(work / "small") == ["mine"] and not (work / "dup").exists() and not (work / "mask").exists()
        why = refused("No space left", 3, work / "bad.jsonl", "-o", work / "small/out", "--on-error", "quarantine")
        assert "quarantine" in why
        nothing_in(work / "small/out")
        assert (work / "small/mine").read_text() == "mine"
    finally:
        subprocess.run(["umount", work / "small"], check=True)


@test
def files_of_a_run_do_not_meet(work):
    (work / "in.jsonl").write_bytes(jsonl(["a", "a"]))
    for words in (["--duplicates", work / "x", "--clusters", work / "x"], ["--mask", work / "out/in.jsonl", "-o", work / "out"],
                  ["--mask", work / "out/.mithril-dedup/run.json", "-o", work / "out"]):
        run(work / "in.jsonl", *words, code=2)
        nothing_in(work / "out")
        assert not (work / "x").exists()
    os.link(work / "in.jsonl", work / "linked")
    refused("would replace an input", 2, work / "in.jsonl", "--clusters", work / "linked", "--force")
    (work / "rec").mkdir()
    os.link(work / "in.jsonl", work / "rec/run.json")
    refused("would replace an input", 2, work / "in.jsonl", "-n", "--record", work / "rec")
    assert (work / "in.jsonl").read_bytes() == jsonl(["a", "a"])


def progress_lines(path):
    """What a run with a pause after its first line of progress shows."""
    primary, secondary = pty.openpty()
    process = subprocess.Popen([TOOL, "-T", "1", "-n", path], stdout=subprocess.DEVNULL, stderr=secondary)
    os.close(secondary)
    shown = os.read(primary, 65536)
    process.send_signal(signal.SIGSTOP)  # however fast the machine is, the stage takes a while
    time.sleep(.7)
    process.send_signal(signal.SIGCONT)
    try:
        while more := os.read(primary, 65536):
            shown += more
    except OSError:
        pass
    os.close(primary)
    assert process.wait() == 0
    return [line.decode() for line in shown.replace(b"\x1b[K", b"").split(b"\r") if line.strip()]


@test
def progress_tells_rate_and_time_left(work):
    texts = corpus(3000, seed=23)
    body = b"".join(json.dumps({"text": f"{n} {t}"}).encode() + b"\n" for n in range(6) for t in texts)
    (work / "in.jsonl").write_bytes(body)
    (work / "in.jsonl.gz").write_bytes(PACK[".gz"](body[:body.index(b"\n", len(body) // 3) + 1]))
    for name in ("in.jsonl", "in.jsonl.gz"):
        for _ in range(40):  # where this process itself is kept waiting, all is read before the pause
            lines = progress_lines(work / name)
            if any("left" in line for line in lines if line.startswith("reading")):
                break
        reading = [re.fullmatch(r"reading: [\d.]+ [KM]?i?B of ([\d.]+ [KM]iB)(?:, \d+ MB/s, (\d+) %, (\d+) s left)?", line) for line in lines
                   if line.startswith("reading")]
        assert all(reading) and any(m[2] for m in reading), lines
        assert len({m[1] for m in reading}) == 1
        shares = [int(m[2]) for m in reading if m[2]]
        assert shares == sorted(shares) and shares[-1] <= 100, shares
    assert b"reading" not in run(work / "in.jsonl", "-n", "-m", "exact").stderr
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
    process = subprocess.Popen([TOOL, "-n", work / "in.jsonl"], stdout=subprocess.DEVNULL, stderr=secondary)
    os.close(secondary)
    shown = os.read(primary, 65536)
    assert process.wait() == 0 and max(map(len, shown.replace(b"\x1b[K", b"").split(b"\r"))) == 19, shown
    os.close(primary)
