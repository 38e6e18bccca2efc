"""More tests of tests/dedup/run, which imports this: the methods beside exact and near, each against brute force."""
import collections
import glob
import gzip
import json
import random
import re
import unicodedata

import truth
from __main__ import Skip, corpus, jsonl, refused, run, summary, test, texts_of, vocabulary


def written(rnd, text):
    """A spelling of each character in JSON."""
    tokens = []
    for c in text:
        plain = json.dumps(c, ensure_ascii=False)[1:-1]
        escaped = "".join(f"\\u{u:04{rnd.choice('xX')}}" for u in (int.from_bytes(c.encode("utf-16-be")[i:i + 2], "big")
                                                          for i in range(0, len(c.encode("utf-16-be")), 2)))
        short = {"/": "\\/", "\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}.get(c, plain)
        tokens.append(rnd.choice([plain, plain, plain, short, escaped]))
    return tokens


BEFORE, AFTER = '{"n" :1.50, "a":{"text":"no"},\t"te\\u0078t" : "', '" , "text": "later", "list": [{"text":"}"}, "]"] }'


def spelt(rnd, texts):
    return [written(rnd, t) for t in texts]


def record(tokens, keep=None):
    return (BEFORE + "".join(t for i, t in enumerate(tokens) if keep is None or i in keep) + AFTER).encode()


def blocks(rnd, count, parts, sizes):
    """Texts put together from common parts and parts of their own."""
    shared = ["".join(rnd.choices("ab \n\u00e9\u65e5\U0001f600x", k=rnd.choice(sizes))) for _ in range(parts)]
    texts = []
    for _ in range(count):
        own = ["".join(rnd.choices("cdefg hij\nklm", k=rnd.randrange(1, 60))) for _ in range(3)]
        texts.append("".join(rnd.sample(own + rnd.sample(shared, 3), 5)))
    return texts


def check(work, method, texts, keeps, **more):
    """Runs the method on one file and two, for several numbers of threads; each time what must be left is left."""
    rnd = random.Random(len(texts))
    tokens = spelt(rnd, texts)
    lines = [record(t) for t in tokens]
    half = len(lines) // 2
    (work / "a.jsonl").write_bytes(b"\n".join(lines[:half]) + b"\n")
    (work / "b.jsonl").write_bytes(b"\r\n".join(lines[half:]))
    should = []
    for i, t in enumerate(texts):
        whole = set(range(len(t)))
        if keeps[i] is None or (keeps[i] != whole and not "".join(t[j] for j in sorted(keeps[i])).strip(" \t\n\r\v\f")):
            continue
        should.append(record(tokens[i], keeps[i]))
    for threads in (1, 2, 5):
        words = more.get("words", []) + (["--memory", "2M"] if threads == 2 else [])
        told = summary("-m", method, work / "a.jsonl", work / "b.jsonl", "-o", work / f"out{threads}", "-T", threads, *words)
        kept = [line.rstrip(b"\r") for name in ("a.jsonl", "b.jsonl")
                for line in (work / f"out{threads}" / name).read_bytes().split(b"\n") if line]
        assert len(kept) == len(should), (method, threads, len(kept), len(should))
        for got, want in zip(kept, should):
            assert got == want, (method, threads, got, want)
    whole = sum(keeps[i] == set(range(len(t))) for i, t in enumerate(texts))
    assert told["kept"] == len(should) and told["cut"] == len(should) - whole, told
    assert told["kept"] + told["exact"] + told["cut_away"] == len(texts), told
    return told


class Left(list):
    """What is left of texts; those that have become the same are no exact duplicates, which were looked for before."""


def distinct(texts):
    if isinstance(texts, Left):
        return [True] * len(texts)
    seen = set()
    return [not (t in seen or seen.add(t)) for t in texts]


def kept_lines(texts, paragraphs, least=1):
    """The characters that stay, None for a text that is an exact duplicate."""
    seen, keeps = set(), []
    for t, first in zip(texts, distinct(texts)):
        if not first:
            keeps.append(None)
            continue
        lines, at, groups = t.split("\n"), 0, []
        for number, line in enumerate(lines):
            if number and number == len(lines) - 1 and not line:  # no line, but the end of the last one
                groups.append({"all": [(at, line)], "lines": [], "blank_since": True})
                continue
            blank = not line.strip(" \t\r")
            if paragraphs and groups and (blank or not groups[-1]["blank_since"]) and groups[-1]["lines"]:
                groups[-1]["all"].append((at, line))
                if blank:
                    groups[-1]["blank_since"] = True
                else:
                    groups[-1]["lines"].append(line)
            else:
                groups.append({"all": [(at, line)], "lines": [] if blank else [line], "blank_since": blank})
            at += len(line) + 1
        kept = []
        for g in groups:
            key = "\n".join(g["lines"])
            key = key[:-1] if key.endswith("\r") and g["all"][len(g["lines"]) - 1][0] + len(g["lines"][-1]) < len(t) else key
            if g["lines"] and len(key.encode()) >= least:
                if key in seen:
                    continue
                seen.add(key)
            kept += g["all"]
        keep = set()
        for n, (at, line) in enumerate(kept):
            keep |= set(range(at, at + len(line)))
            if n + 1 < len(kept):
                keep.add(at + len(line))
        keeps.append(keep)
    return keeps


def line_texts(seed):
    rnd = random.Random(seed)
    lines = ["", " ", "\t", "}", "one", "two words", "\u00e9t\u00e9", " one", "one\r", "three of them", "end", "\U0001f600"]
    return ["\n".join(rnd.choices(lines + [f"own {rnd.randrange(99)}" for _ in range(6)], k=rnd.randrange(0, 9))) for _ in range(500)] + ["one", "}\n}", "one\r\n}"]


@test
def lines_that_stand_earlier_are_cut(work):
    texts = line_texts(1)
    told = check(work, "line", texts, kept_lines(texts, False))
    assert told["cut"] > 40 and told["cut_away"] > 0, told
    check(work, "line:5", texts, kept_lines(texts, False, 5), words=["--force"])


@test
def paragraphs_that_stand_earlier_are_cut(work):
    texts = line_texts(2)
    told = check(work, "paragraph", texts, kept_lines(texts, True))
    assert told["cut"] > 20
    check(work, "paragraph:12", texts, kept_lines(texts, True, 12), words=["--force"])


def kept_characters(texts, length, shares=None):
    """Bytes in windows that stand earlier, in a text before or in the same one and at an end before, go; of characters only
    whole ones."""
    where, keeps = {}, []
    for i, (t, first) in enumerate(zip(texts, distinct(texts))):
        if not first:
            keeps.append(None)
            continue
        b, gone = t.encode(), set()
        for p in range(len(b) - length + 1):
            doc, at = where.setdefault(b[p:p + length], (i, p))
            if doc < i or at + length <= p:
                gone |= set(range(p, p + length))
        keep, at = set(), 0
        for n, c in enumerate(t):
            size = len(c.encode())
            if not set(range(at, at + size)) <= gone:
                keep.add(n)
            at += size
        if shares is not None:
            left = sum(len(t[n].encode()) for n in keep)
            keep = None if len(b) - left > shares * len(b) else set(range(len(t)))
        keeps.append(keep)
    return keeps


@test
def substrings_that_stand_earlier_are_cut(work):
    rnd = random.Random(3)
    texts = blocks(rnd, 250, 12, [10, 30, 60, 100, 200])
    texts += ["x" * 500, "y" * 40 + "x" * 70, "abc" * 200, "bca" * 60, "ab" * 17, "x" * 33]
    for length in (16, 17, 40, 100):
        told = check(work, f"substring:{length}", texts, kept_characters(texts, length), words=["--force"])
    assert told["cut"] > 20
    check(work, "substring:30", texts, kept_characters(texts, 30, .4), words=["--force", "--repeats", "drop:0.4"])


@test
def long_runs_and_long_windows(work):
    rnd = random.Random(4)
    words = vocabulary(rnd, 200)
    runs = ["".join(rnd.choice([" " * 3000, "-" * 2000, "=-" * 1500, "0,0,0,\n" * 300, rnd.choice(words)]) for _ in range(6)) for _ in range(8)]
    check(work, "substring", runs, kept_characters(runs, 100), words=["--force"])
    long = [" ".join(rnd.choices(words[:30], k=700)) for _ in range(6)]
    long += [long[0][500:] + long[1][:3000], long[2][:4100], long[3][10:4000], "z" + long[2][:4096]]
    check(work, "substring:4096", long, kept_characters(long, 4096), words=["--force"])


SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85"


def words_with_places(text):
    """(word, from, to) of all words: white space parts them, a Han character, Hiragana or Katakana stands alone, with its marks."""
    pieces, start, alone = [], 0, False
    for at, c in enumerate(text):
        kind = unicodedata.category(c)
        space = c in SPACES or kind in ("Zs", "Zl", "Zp")
        if kind in ("Mn", "Mc") or (not space and not truth.stands_alone(c) and not alone):
            continue
        pieces.append((start, at))
        start, alone = at + space, not space and truth.stands_alone(c)
    pieces.append((start, len(text)))
    out = [(w, a, b) for a, b in pieces for w in truth.words(text[a:b])]
    assert [w for w, _, _ in out] == truth.words(text), text
    return out


def kept_words(texts, length):
    """Windows of so many words that stand earlier go, from the first one's start to the last one's end."""
    where, keeps = {}, []
    for i, (t, first) in enumerate(zip(texts, distinct(texts))):
        if not first:
            keeps.append(None)
            continue
        w, gone = words_with_places(t), set()
        for p in range(len(w) - length + 1):
            doc, at = where.setdefault(tuple(x[0] for x in w[p:p + length]), (i, p))
            if doc < i or at + length <= p:
                gone |= set(range(p, p + length))
        keep = set(range(len(t)))
        for p in gone:
            keep -= set(range(w[p][1], w[p + 1][2] if p + 1 in gone else w[p][2]))
        keeps.append(keep)
    return keeps


@test
def runs_of_words_that_stand_earlier_are_cut(work):
    """Whatever their case, punctuation and the white space between them."""
    rnd = random.Random(6)
    words = vocabulary(rnd, 60) + ["\u65e5\u672c", "\u304b\u3099", "cafe\u0301", "\u00c9t\u00e9", "--", "don't"]
    shared = [rnd.choices(words, k=rnd.choice([2, 5, 9, 30])) for _ in range(20)]
    texts = ["", "a", "-- !", "a a a a a a a a a a a a", "a A, a. a"]
    for _ in range(300):
        w = [x for _ in range(4) for x in rnd.choice([rnd.choice(shared), rnd.choices(words, k=rnd.randrange(9))])]
        texts.append("".join(rnd.choice([x, x, x.upper(), x + ",", "(" + x]) + rnd.choice([" ", " ", "\n", "\u2003\t"]) for x in w))
    for length in (2, 3, 8):
        told = check(work, f"substring:{length}t", texts, kept_words(texts, length), words=["--force"])
        assert told["cut"] > 20, told
    for value in ("1t", "513t", "t", "5w", "5tt"):
        refused("substring", 2, work / "a.jsonl", "-n", "-m", f"substring:{value}")


@test
def lines_in_little_memory(work):
    """More distinct lines than the bound has room for are gone through in parts."""
    rnd = random.Random(7)
    texts = ["\n".join(rnd.choice([f"line {rnd.randrange(70000)}", "common"]) for _ in range(rnd.randrange(1, 90))) for _ in range(3000)]
    (work / "in.jsonl").write_bytes(jsonl(texts))
    for method in ("line", "paragraph"):
        answers = []
        for words in ([], ["--memory", "1M", "-T", "1"], ["--memory", "2M", "-T", "3"]):
            told = summary(work / "in.jsonl", "-o", work / "out", "-m", method, "--force", *words)
            answers.append(((work / "out/in.jsonl").read_bytes(), told["cut"], told["cut_bytes"], told["cut_away"]))
        assert answers[0] == answers[1] == answers[2], method
        assert method == "paragraph" or answers[0][1] > 1000


@test
def methods_go_one_after_the_other(work):
    """Lines, then paragraphs, then substrings, each of what the one before has left."""
    texts = ["\n".join(t.split("\n")[:8]) for t in blocks(random.Random(5), 200, 10, [20, 40, 80])]
    texts = [t for t, first in zip(texts, distinct(texts)) if first]
    left, keeps = texts, [set(range(len(t))) for t in texts]
    for step in (lambda t: kept_lines(t, False), lambda t: kept_lines(t, True), lambda t: kept_characters(t, 20)):
        now = step(Left(left))
        keeps = [{sorted(k)[j] for j in n} for k, n in zip(keeps, now)]
        left = ["".join(t[j] for j in sorted(k)) for t, k in zip(texts, keeps)]
    check(work, "substring:20,line,paragraph", texts, keeps)


@test
def what_went_is_counted_once(work):
    """Where the record that others go for is cut away itself, in another file, and whoever reads first."""
    rnd = random.Random(14)
    lines = [" ".join(rnd.choices("abcdefghijklmnop", k=30)) for _ in range(40)]
    (work / "a.jsonl").write_bytes(jsonl(["\n".join(lines[:20]), "\n".join(lines[20:])]))
    (work / "b.jsonl").write_bytes(jsonl([t for i in range(0, 36, 3) for t in ("\n".join(lines[i:i + 4]), "\n".join(lines[i:i + 4])[:-5])]))
    (work / "c.jsonl").write_bytes(jsonl(["\n".join(lines[i:i + 4]) + "\n" + lines[i] for i in range(0, 36, 3)]))
    for threads in (1, 4):
        told = summary(*[work / f"{n}.jsonl" for n in "abc"], "-o", work / f"out{threads}", "-m", "near,line", "--keep", "longest", "-t", ".6", "-T", threads, "--duplicates", work / f"gone{threads}")
        gone = [json.loads(line) for line in open(work / f"gone{threads}")]
        counts = {m: g["documents"] for m, g in told["gone"].items() if g["documents"]}
        assert counts == dict(collections.Counter(d["method"] for d in gone)) and counts["cut"] > told["cut_away"] > 0, (counts, told)
    assert "method near,line:1, " in run("report", work / "out1").stdout.decode()


@test
def characters_are_shingled(work):
    texts = corpus(1500, seed=21)
    (work / "in.jsonl").write_bytes(jsonl(texts))
    sets = [truth.shingles(t, 24, characters=True) for t in texts]
    run(work / "in.jsonl", "-o", work / "out", "--ngram", "char:24", "--duplicates", work / "dup", "--bands", "64x2")
    stays = {json.loads(line)["id"] for line in (work / "out/in.jsonl").read_bytes().splitlines()}
    for line in (work / "dup").read_text().splitlines():
        d = json.loads(line)
        at, of = (int(d[k].rsplit(":", 1)[1]) - 1 for k in ("id", "anchor"))
        similar = 1.0 if texts[at] == texts[of] else truth.jaccard(sets[at], sets[of])
        assert similar >= .8 and abs(similar - d["similarity"]) < 1e-4, (at, of, similar, d)
    first = {t: i for i, t in reversed(list(enumerate(texts)))}
    anchor = truth.anchors(len(texts), truth.similar_pairs(sets, .8))
    should = {i for i, a in enumerate(anchor) if a == i and first[texts[i]] == i}
    assert should == stays, sorted(should ^ stays)[:9]


@test
def characters_of_all_scripts(work):
    """Those stay whose characters, normalised, are not those of an earlier one."""
    rnd = random.Random(22)
    ranges = [(0x20, 0x7f)] * 4 + [(0xc0, 0x250), (0x300, 0x340), (0x3a0, 0x3ff), (0x1100, 0x1113), (0x2000, 0x2040), (0x3000, 0x3060),
              (0x4e00, 0x4e40), (0xac00, 0xac40), (0x1f600, 0x1f620), (0x20000, 0x20020)]
    usable = [[chr(c) for c in range(*r) if unicodedata.category(chr(c)) not in ("Cn", "Cs") and c != 0x130] for r in ranges]
    texts = []
    for _ in range(2000):
        text = "".join(rnd.choice(rnd.choice(usable) if rnd.random() < .7 else " \n.") for _ in range(rnd.randrange(1, 12)))
        texts += [text, unicodedata.normalize(rnd.choice(["NFC", "NFD"]), text).replace(" ", rnd.choice([" ", "\n "]))]
    (work / "in.jsonl").write_bytes(jsonl(texts))
    run(work / "in.jsonl", "-o", work / "out", "-t", "1", "--ngram", "char:64", "-T", "2")
    seen, stay = set(), []
    for text in texts:
        what = truth.shingles(text, 64, characters=True) or text
        if what not in seen:
            stay.append(text)
        seen.add(what)
    kept = texts_of(work / "out/in.jsonl")
    assert kept == stay, [t for t in set(kept) ^ set(stay)][:5]


@test
def fingerprints_are_as_near_as_asked_for(work):
    texts = corpus(3000, seed=23)
    (work / "in.jsonl").write_bytes(jsonl(texts))
    sets = [truth.shingles(t) for t in texts]
    goes = {}
    for bits, words in ((0, []), (3, []), (10, []), (10, ["-t", ".5"])):
        name = f"simhash:{bits}"
        run("-m", name, work / "in.jsonl", "-n", "--duplicates", work / "on-disk", "--memory", "4M", "--force", *words)
        told = summary("-m", name, work / "in.jsonl", "-n", "--duplicates", work / "dup", "--force", *words)
        assert (work / "dup").read_bytes() == (work / "on-disk").read_bytes()
        lines = [json.loads(line) for line in (work / "dup").read_text().splitlines()]
        near = [d for d in lines if texts[int(d["id"].rsplit(":", 1)[1]) - 1] != texts[int(d["anchor"].rsplit(":", 1)[1]) - 1]]
        goes[bits, len(words)] = told["near"]
        for d in near[::9]:
            why = json.loads(run("explain", "--json", "-m", name, d["id"], d["anchor"]).stdout)
            at, of = (int(d[k].rsplit(":", 1)[1]) - 1 for k in ("id", "anchor"))
            assert why["distance"] <= bits and why["bands_equal"] >= 1 and why["verdict"] == "near duplicates", why
            is_similar = truth.jaccard(sets[at], sets[of])
            assert abs(d["similarity"] - (is_similar if words else 1 - why["distance"] / 64)) < 1e-4
            assert not words or is_similar >= .5
    assert 0 < goes[0, 0] < goes[3, 0] < goes[10, 0] and 0 < goes[10, 2] <= goes[10, 0], goes


@test
def exact_by_any_field(work):
    values = ['1', '1.0', '"1"', 'true', '1e0', 'false', 'null', 'null', '"true"', '18446744073709551615', '-0.0', '0', '1.5', '"1"', '15e-1',
              '18446744073709551615', 'false', '"\\u0031"', '-1']
    stay = [0, 2, 3, 5, 6, 7, 8, 9, 10, 12, 18]
    for more in (b"", b', "text": "one and the same"'):
        lines = [b'{"a": {"n": ' + v.encode() + b"}" + more + b"}" for v in values]
        (work / "in.jsonl").write_bytes(b"\n".join(lines) + b"\n")
        for threads in (1, 3):
            words = ["--memory", "2M"] if threads == 3 else []
            told = summary("-m", "exact:a.n", work / "in.jsonl", "-o", work / "out", "--force", "-T", threads, *words)
            assert (work / "out/in.jsonl").read_bytes().splitlines() == [lines[i] for i in stay]
            assert told["exact"] == len(lines) - len(stay)
    told = summary("-m", "exact:a.n,near", work / "in.jsonl", "-n")
    assert told["near"] == len(stay) - 1
    (work / "bad.jsonl").write_bytes(b'{"a": 1, "text": ""}\n{"b": 2, "text": ""}\n{"a": [], "text": ""}\n')
    refused(["line 2", "no such field"], 1, "-m", "exact:a", work / "bad.jsonl", "-n")
    told = summary("-m", "exact:a", work / "bad.jsonl", "-n", "--on-error", "skip")
    assert told["bad"] == 2 and told["kept"] == 1
    refused(["line 1", "no such field"], 1, "-m", "exact:a,near", "-f", "t", work / "bad.jsonl", "-n")
    (work / "a.txt").write_text("a\n")
    refused(["line 1", "no fields"], 1, "-m", "exact:a", work / "a.txt", "-n")


@test
def nothing_of_the_second_set_is_kept(work):
    rnd = random.Random(24)
    vocab = vocabulary(rnd, 4000)
    items = [" ".join(rnd.choices(vocab, k=rnd.choice([3, 12, 13, 14, 40, 80]))) for _ in range(120)] + ["", "...", "a b c"]
    items.append(items[5])
    texts = []
    for _ in range(1500):
        w = rnd.choices(vocab, k=rnd.randrange(0, 120))
        for item in rnd.sample(items, rnd.choice([0, 0, 0, 1, 2])):
            item = item.split(" ")
            at = rnd.randrange(len(w) + 1)
            w[at:at] = item[rnd.randrange(len(item)):] if rnd.random() < .5 else item
        if rnd.random() < .1:
            w = [rnd.choice(items).upper() + "!"]
        texts.append(" ".join(w))
    texts += texts[:200]
    (work / "in.jsonl").write_bytes(jsonl(texts))
    (work / "a.jsonl").write_bytes(b"".join(json.dumps({"question": t}).encode() + b"\n\n" for t in items[:60]))
    (work / "b.txt").write_text("\n".join(items[60:]))
    places = [f"{work}/a.jsonl:{2 * i + 1}" for i in range(60)] + [f"{work}/b.txt:{i + 1}" for i in range(len(items) - 60)]

    def hits(n, overlap, least):
        grams = [truth.shingles(t, n) for t in items]
        for i, t in enumerate(texts):
            own = truth.shingles(t, n)
            best = None
            for item, g in enumerate(grams):
                common = len(own & g)
                if common and g:
                    value = common / len(g) if overlap == "share" else common / (len(own) + len(g) - common)
                    if value >= least and (best is None or value > best[1]):
                        best = item, value
            yield i, best

    for words, n, overlap, least in (([], 13, "share", 0), (["--overlap", ".6"], 13, "share", .6), (["--overlap-ngram", "3"], 3, "share", 0),
                                     (["--overlap", "near:.5"], 5, "jaccard", .5), (["--overlap", "near", "-t", ".9"], 5, "jaccard", .9)):
        want = {i: best for i, best in hits(n, overlap, least) if best}
        answers = set()
        for threads in (1, 3):
            told = summary("-m", "exact", work / "in.jsonl", "-o", work / "out", "--against", work / "a.jsonl", "--against", work / "b.*",
                           "--against-field", "question", "--duplicates", work / "dup", "--force", "-T", threads, *words,
                           *(["--memory", "2M"] if threads == 3 else []))
            answers.add(((work / "out/in.jsonl").read_bytes(), (work / "dup").read_bytes()))
        assert len(answers) == 1 and told["against"] == len(want) > 20, (words, told["against"], len(want))
        got = {}
        for line in (work / "dup").read_text().splitlines():
            d = json.loads(line)
            if "against" in d:
                got[int(d["id"].rsplit(":", 1)[1]) - 1] = d["against"], d["overlap"]
        assert got.keys() == want.keys(), (words, sorted(got.keys() ^ want.keys())[:9])
        for i, (item, value) in want.items():
            assert got[i][0] == places[item] and abs(got[i][1] - value) < 1e-4, (words, i, got[i], places[item], value)
        stays = [json.loads(line)["id"] for line in (work / "out/in.jsonl").read_bytes().splitlines()]
        assert stays == [i for i, t in enumerate(texts) if i not in want and texts.index(t) == i]
    refused(["a.jsonl", "line 1", "no such field"], 1, work / "in.jsonl", "-n", "--against", work / "a.jsonl")
    refused("No such file", 2, work / "in.jsonl", "-n", "--against", work / "none.jsonl")
    said = run(work / "in.jsonl", "-n", "--against", work / "b.txt").stdout.decode()
    assert "too few words" in said, said
    told = summary("-m", "stream", "--expect", 9999, work / "in.jsonl", "-n", "--against", work / "b.txt")
    assert told["against"] > 20


def system_texts():
    """What this system has of texts with shared templates: licences, change logs in pieces, manual pages."""
    texts = [open(name, errors="replace").read(12000) for name in sorted(glob.glob("/usr/share/doc/*/copyright"))[:400]]
    for name in sorted(glob.glob("/usr/share/doc/*/changelog*.gz"))[:100]:
        texts += re.split(r"\n(?=\S.*\) .*; urgency)", gzip.open(name, "rt", errors="replace").read(20000))[:8]
    for name in sorted(glob.glob("/usr/share/man/man[1358]/*.gz"))[:500]:
        try:
            texts.append(gzip.open(name, "rt", errors="replace").read(5000))
        except OSError:  # a link to nowhere
            continue
    return [t for t in texts if t]


@test
def shared_templates_join_nobody(work):
    """On real files that have a template in common, no cluster has a member below the threshold to its anchor."""
    texts = system_texts()
    if len(texts) < 300:
        raise Skip(f"this system has only {len(texts)} licences, change logs and manual pages")
    (work / "in.jsonl").write_bytes(jsonl(texts))
    for threshold, words in ((.8, []), (.5, []), (.7, ["--ngram", "char:24"])):
        sets = [truth.shingles(t, 24, characters=True) if words else truth.shingles(t) for t in texts]
        told = summary(work / "in.jsonl", "-o", work / "out", "--duplicates", work / "dup", "-t", threshold, "--force", *words)
        worst, goes = 1, 0
        for line in (work / "dup").read_text().splitlines():
            d = json.loads(line)
            at, of = (int(d[k].rsplit(":", 1)[1]) - 1 for k in ("id", "anchor"))
            if texts[at] != texts[of]:
                worst = min(worst, truth.jaccard(sets[at], sets[of]))
                goes += 1
        print(f"  {threshold} {words}: {len(texts)} texts, {told['exact']} exact, {goes} near, {told['rejected']} rejected, least {worst:.4f}")
        assert worst >= threshold and goes >= told["near"] > 0 and told["rejected"] > 0
        stays = {json.loads(line)["id"] for line in (work / "out/in.jsonl").read_bytes().splitlines()}
        pairs = truth.similar_pairs(sets, threshold) if not words else {}
        left = sum(1 for i, j in pairs if i in stays and j in stays)
        assert left <= .03 * len(pairs), (left, len(pairs))
