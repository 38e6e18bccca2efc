"""More tests of tests/dedup/run, which imports this: what is wrong with inputs, and with where output goes, for every method,
in memory and in stages."""
import json
import os
import resource
import shutil
import subprocess

from __main__ import PACK, TOOL, Skip, corpus, jsonl, nothing_in, refused, run, summary, test

METHODS = ["near", "exact", "simhash", "stream", "line", "paragraph", "substring", "near,line,paragraph,substring:60"]


def every_method(work):
    """(a name, the words of the command line): each method, with all in memory and with a bound."""
    for method in METHODS:
        yield method, ["-m", method] + (["--expect", 99999] if method == "stream" else [])
        if method != "stream":
            yield f"{method} in stages", ["-m", method, "--memory", "4M", "--work", work / "work"]


def wrong_inputs():
    """By name: the bytes, the line that is told (None: whichever the damage is found in), and words of the reason."""
    good = jsonl(corpus(60, seed=21))
    long = good + jsonl(["".join(f"{i * i:x}" for i in range(20000))])
    cases = {
        "broken.jsonl": (good + b'{"text": "x\n' + good, 61, "never closed"),
        "field.jsonl": (good + b'{"txt": "x"}\n' + good, 61, "no such field"),
        "number.jsonl": (good + b'{"text": 5}\n', 61, "no string"),
        "latin.jsonl": (good + b'{"text": "caf\xe9"}\n', 61, "UTF-8"),
        "nul.jsonl": (good + b'{"text": "a\0b"}\n', 61, "escaped"),
        "nul.txt": (b"a\nb\0c\n", 2, "NUL byte"),
        "latin.txt": (b"a\ncaf\xe9\n", 2, "UTF-8"),
    }
    for suffix in [s for s in PACK if s]:
        cases[f"cut.jsonl{suffix}"] = (PACK[suffix](long)[:-2000], None, "ends before its end")
    return cases


@test
def bad_input_with_every_method(work):
    for turn, (name, (data, line, why)) in enumerate(wrong_inputs().items()):
        path = work / name
        path.write_bytes(data)
        for number, (method, words) in enumerate(every_method(work)):
            place = f"{path}: line {line}: " if line else f"{path}: line "
            said = run(path, "-o", work / "out", *words, code=1).stderr.decode().splitlines()
            assert len(said) == 1 and place in said[0] and why in said[0], (name, method, said)
            nothing_in(work / "out")
            shutil.rmtree(work / "work", ignore_errors=True)
            if (turn + number) % 4:  # writing takes its time: each method and each input has its turns
                continue
            said = run(path, "-o", work / "apart", "--on-error", "quarantine", *words).stderr.decode().splitlines()
            assert len(said) == 1 and place in said[0] and why in said[0], (name, method, said)
            apart = json.loads((work / "apart/mithril-dedup.quarantine.jsonl").read_text())
            assert apart["file"] == str(path) and (line is None or apart["line"] == line), (name, method, apart)
            assert not (work / "work").exists()
            shutil.rmtree(work / "apart")


@test
def an_output_that_is_an_input(work):
    """Under its own name, by a link, or by another name, whatever --force says."""
    path = work / "in.jsonl"
    body = jsonl(corpus(60, seed=22))
    path.write_bytes(body)
    (work / "out").mkdir()
    os.link(path, work / "out/in.jsonl")
    os.symlink(path, work / "other.jsonl")
    for method, words in every_method(work):
        lists = [] if method == "stream" else [["-n", "--duplicates", path], ["-n", "--clusters", work / "other.jsonl"]]
        for where in [["-o", work], ["-o", work / "out"], ["-o", path], ["-o", work / "other.jsonl"], ["-n", "--mask", path], *lists]:
            refused("would replace an input", 2, path, "--force", *words, *where)
            assert path.read_bytes() == body, (method, where)
        shutil.rmtree(work / "work", ignore_errors=True)


@test
def a_disk_that_is_full_with_every_method(work):
    (work / "in.jsonl").write_bytes(jsonl(corpus(3000, seed=23)))
    (work / "small").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", work / "small"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("a small file system needs root")
    try:
        places = ["-o", work / "small/out"], ["-o", work / "small/all.jsonl"], ["-o", work / "out", "--mask", work / "small/mask"]
        for number, (method, words) in enumerate(every_method(work)):
            for where in places[number % 3:][:1]:
                fill = work / "small/fill"
                fill.write_bytes(b"x" * (512 << 10 if "--mask" in where else 0))
                refused("No space left", 3, work / "in.jsonl", *words, *where)
                nothing_in(work / "small/out"), nothing_in(work / "out")
                assert [p.name for p in (work / "small").iterdir() if p.is_file()] == ["fill"], method
                fill.unlink()
                # What the stages have done stays, for the next try.
                shutil.rmtree(work / "work", ignore_errors=True)
        for method in ("near", "near,line"):  # with little room for the stages themselves
            refused(["small/work", "No space left"], 3, work / "in.jsonl", "-m", method, "--memory", "4M", "--work", work / "small/work", "-o", work / "out")
            nothing_in(work / "out")
            shutil.rmtree(work / "small/work")
    finally:
        subprocess.run(["umount", work / "small"], check=True)


@test
def a_line_of_a_gigabyte(work):
    """Without taking its memory, and what stands around it is read; the line is a hole in the file."""
    if "MITHRIL_LONG" not in os.environ:
        raise Skip("MITHRIL_LONG is not set")
    with open(work / "in.jsonl", "wb") as file:
        file.write(b'{"text": "a"}\n{"text": "')
        file.seek(1 << 30, os.SEEK_CUR)
        file.write(b'"}\n{"text": "b"}\n')
    os.link(work / "in.jsonl", work / "in.txt")
    small = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))}
    if b"__asan" in TOOL.read_bytes():
        small = {}
    for name in ("in.jsonl", "in.txt"):
        refused([f"{work / name}: line 2: ", "longer than 64 MiB"], 1, work / name, "-o", work / "out", **small)
        nothing_in(work / "out")
    refused(["line 2: ", "longer than 64 MiB"], 1, work / "in.jsonl", "-o", work / "out", "--memory", "16M", **small)
    told = summary(work / "in.jsonl", "-o", work / "out", "--on-error", "quarantine", **small)
    assert told["kept"] == 2 and told["bad"] == 1 and told["resident_bytes"] < (500 << 20) or not small
    assert (work / "out/in.jsonl").stat().st_size == 2 * 14
    assert json.loads((work / "out/mithril-dedup.quarantine.jsonl").read_text()) == {
        "file": str(work / "in.jsonl"), "line": 2, "reason": "the line is longer than 64 MiB", "record": None}
    if ".zst" in PACK:
        subprocess.run(["zstd", "-q", work / "in.txt", "-o", work / "bomb.txt.zst"], check=True)
        refused(["bomb.txt.zst: line 2: ", "longer than 64 MiB"], 1, work / "bomb.txt.zst", "-o", work / "out", **small)
