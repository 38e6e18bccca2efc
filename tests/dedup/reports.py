"""More tests of tests/dedup/run, which imports this: what report and clusters tell of a run afterwards."""
import collections
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import xml.etree.ElementTree

from __main__ import TOOL, corpus, jsonl, refused, run, summary, test


def ran(work, count=2500, *words):
    texts = corpus(count, seed=31)
    for part in range(2):
        (work / f"{part}.jsonl").write_bytes(jsonl(texts[part::2]))
    told = summary(work / "0.jsonl", work / "1.jsonl", "-o", work / "out", "--duplicates", work / "dup", *words)
    return texts, told, [json.loads(line) for line in (work / "dup").read_text().splitlines()]


@test
def a_report_counts_what_went(work):
    texts, told, gone = ran(work, 2500, "-t", ".6")
    report = json.loads(run("report", "--json", "--largest", 1000000, work / "out").stdout)
    for figures in (told, report["run"]["summary"]):
        figures.pop("seconds"), figures.pop("resident_bytes")
    assert report["run"]["summary"] == told
    sizes = collections.Counter(d["anchor"] for d in gone)
    least = {a: min(d["similarity"] for d in gone if d["anchor"] == a) for a in sizes}
    assert report["duplicates"] == len(gone) and report["clusters"] == len(sizes)
    assert {c["keeper"]: (c["size"], round(c["least_similarity"], 4)) for c in report["largest"]} == {
        a: (n + 1, least[a]) for a, n in sizes.items()}
    assert [c["size"] for c in report["largest"]] == sorted((n + 1 for n in sizes.values()), reverse=True)
    near = [d for d in gone if d["method"] == "near"]
    assert sum(b["documents"] for b in report["histogram"]) == len(near) == told["near"] == told["gone"]["near"]["documents"]
    for b in report["histogram"]:
        assert b["documents"] == sum(b["from"] <= d["similarity"] + 1e-9 and (d["similarity"] + 1e-9 < b["to"] or b["to"] == 1) for d in near), b
    assert sum(s["clusters"] for s in report["sizes"]) == len(sizes)
    for s in report["sizes"]:
        assert s["clusters"] == sum(s["from"] <= n + 1 <= s["to"] for n in sizes.values()), s
    assert sum(d["method"] == "exact" for d in gone) == told["exact"] == told["gone"]["exact"]["documents"]
    read, kept = ((work / f"{p}.jsonl").stat().st_size for p in range(2)), told["kept_bytes"]
    assert sum(read) == kept + sum(g["bytes"] for g in told["gone"].values())
    dry = summary(work / "0.jsonl", work / "1.jsonl", "-n", "-t", ".6")
    assert (dry["gone"], dry["kept"], dry["kept_bytes"]) == (told["gone"], told["kept"], kept)
    said = run("report", work / "out").stdout.decode()
    assert f"\nclusters: {len(sizes)};" in said and report["largest"][0]["keeper"] in said and report["largest"][10]["keeper"] not in said
    rows = dict(re.findall(r"^(read|exact|near|kept) +(\d+) ", said, re.M))
    assert rows == {"read": "2500", "exact": str(told["exact"]), "near": str(told["near"]), "kept": str(told["kept"])}
    assert run("report", work / "out/.mithril-dedup").stdout.decode() == said
    run(work / "0.jsonl", "-o", work / "all.jsonl")
    assert run("report", work / "all.jsonl").stdout
    for cuts in "line:20,paragraph:30,substring:40", "substring:50t":
        run(work / "0.jsonl", "-m", "near," + cuts, "-o", work / "cut", "--force")
        assert f"method near,{cuts}" in run("report", work / "cut").stdout.decode()


@test
def the_page_needs_nothing_else(work):
    odd = work / 'a&b<script>"x.jsonl'
    base = " ".join(f"w{i}" for i in range(100))
    odd.write_bytes(jsonl([base, base + " more", base, "x"]))
    run(odd, "-o", work / "out")
    run("report", "--html", work / "page.html", work / "out")
    page = (work / "page.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n") and "a&amp;b&lt;script>&quot;x.jsonl:1" in page
    assert not re.search(r"https?:|\bsrc=|\bhref=|@import|url\(|<script", page)
    plots = re.findall(r'<table class="plot">.*?</table>', page, re.S)
    assert len(plots) == 4
    for plot in plots:
        rows = list(xml.etree.ElementTree.fromstring(plot))
        assert len({len(row) for row in rows}) == 1 and len(rows) > 1, plot
        bars = [float(re.fullmatch(r"width:([0-9.]+)%", bar.get("style"))[1]) for row in rows for bar in row.iter("i")]
        assert bars and max(bars) == 100 and min(bars) >= 0, bars
    assert re.search(r">near</td><td>1</td><td>25.0 %</td>", page) and run("report", "--html", "-", work / "out").stdout.decode() == page
    refused("File exists", 2, "report", "--html", work / "page.html", work / "out")
    run(odd, "-o", work / "exact", "-m", "exact", "-f", "text")
    exact = run("report", "--html", "-", work / "exact").stdout.decode()
    assert exact.count('class="plot"') == 3 and "threshold" not in exact
    (work / "empty.jsonl").write_bytes(b"")
    run(work / "empty.jsonl", "-o", work / "none")
    assert "\nclusters: 0;" in run("report", work / "none").stdout.decode() and "no record" in run("clusters", work / "none").stdout.decode()
    assert 'class="plot"' in run("report", "--html", "-", work / "none").stdout.decode()


@test
def clusters_show_what_differs(work):
    texts, told, gone = ran(work)
    shown = json.loads(run("clusters", "--json", "--largest", 1000000, "--members", 1000000, work / "out").stdout)["clusters"]

    def text_of(name):
        path, line = name.rsplit(":", 1)
        return texts[2 * (int(line) - 1) + int(path[-7])]

    assert {(m["id"], c["keeper"]) for c in shown for m in c["members"]} == {(d["id"], d["anchor"]) for d in gone}
    for c in shown:
        assert c["text"] == text_of(c["keeper"])
        for m in c["members"]:
            assert m["text"] == text_of(m["id"])
            for keep, text in ("gone", c["text"]), ("new", m["text"]):
                words = [w for e in m["edits"] if e["kind"] in ("same", keep) for w in e["words"].split()]
                assert words == text.split(), (words, text)
    one = next(c for c in shown if any(m["similarity"] < 1 for m in c["members"]))
    chosen = run("clusters", work / "out", one["members"][0]["id"]).stdout.decode()
    assert one["keeper"] in chosen and chosen.startswith("cluster ") and chosen.count("cluster ") == 1
    refused("in no cluster", 2, "clusters", work / "out", work / "0.jsonl:999999")


@test
def sides_are_shown_beside_each_other(work):
    words = [f"w{i}" for i in range(60)]
    other = words[:30] + ["NEW", "wor\x1b[31md\u202e"] + words[31:]
    (work / "in.jsonl").write_bytes(jsonl([" ".join(words), " ".join(other), " ".join(words).upper(), " ".join(words)]))
    run(work / "in.jsonl", "-o", work / "out")
    said = run("clusters", "--members", 9, work / "out").stdout.decode()
    rows = [line.split(" | ") for line in said.splitlines()]
    assert "[-w30-]" in said and "{+NEW wor?[31md?+}" in said and "\x1b" not in said and "\u202e" not in said, said
    assert all(len(row) == 2 and len(row[0]) == 58 and len(row[1]) <= 58 for row in rows if len(row) > 1)
    assert "... 22 words that are the same ..." in said and "the same text" in said
    assert "words that are the same" not in run("clusters", "--whole", work / "out").stdout.decode()
    for names, has in (({}, True), ({"NO_COLOR": "1"}, False)):
        primary, secondary = pty.openpty()
        fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen([TOOL, "clusters", work / "out"], stdout=secondary, env={**os.environ, **names})
        os.close(secondary)
        shown = b""
        try:
            while more := os.read(primary, 65536):
                shown += more
        except OSError:
            pass
        assert process.wait() == 0
        plain = re.sub(rb"\x1b\[\d*m", b"", shown).decode()
        assert (b"\x1b[31mw30\x1b[0m" in shown) == has == (b"[-w30-]" not in shown)
        assert all(len(line) <= 80 for line in plain.splitlines())


@test
def scripts_without_spaces_and_copies(work):
    """Chinese and Japanese are compared character by character; what has a text of its own comes before copies of it."""
    text = "\u65e5\u672c\u8a9e\u306e\u9577\u3044\u6587\u7ae0\u3067\u3059\u3002\u91cd\u8907\u3092\u898b\u3064\u3051\u308b\u305f\u3081\u306e\u8a66\u9a13\u3092"
    texts = [text + "\u3057\u307e\u3059\u3002", text + "\u3057\u305f\u3002", text + "\u3057\u305f\u3002", text + "\u3059\u308b\u3002", text + " \u3057\u307e\u3059\u3002"]
    (work / "in.jsonl").write_bytes(jsonl(texts))
    run(work / "in.jsonl", "-o", work / "out", "-t", ".4")
    said = run("clusters", "--members", 9, work / "out").stdout.decode()
    order = [int(n) for n in re.findall(r"in\.jsonl:(\d)  (?:near|exact)", said)]
    assert sorted(order) == [2, 3, 4, 5] and order[-1] == 3 and "near (copy)" in said, said
    assert "[-\u307e\u3059-]\u3002" in said and "{+\u305f+}\u3002" in said and "other white space" in said, said
    assert [int(n) for n in re.findall(r"in\.jsonl:(\d)  (?:near|exact)", run("clusters", "--members", 1, work / "out", work / "in.jsonl:3").stdout.decode())] == [3]
    for line in said.splitlines():
        assert " | " not in line or sum(2 if ord(ch) > 0x3000 else 1 for ch in line.split(" | ")[0]) == 58, line


@test
def records_that_cannot_be_used(work):
    ran(work, 300)
    refused("no run has left its record", 2, "report", work)
    refused("no run has left its record", 2, "clusters", work / "nothing")
    refused("name the output", 2, "report")
    refused("no such option", 2, "report", "--csv", work / "out")
    refused("--json or --html", 2, "report", "--json", "--html", "x", work / "out")
    refused("not a number", 2, "clusters", "--members", "0", work / "out")
    os.utime(work / "0.jsonl", (1, 1))
    refused(["0.jsonl", "changed since the run"], 3, "clusters", work / "out")
    run("report", work / "out")
    run("-", "-o", work / "piped", stdin=jsonl(["a", "a"]))
    refused("cannot be read again", 3, "clusters", work / "piped")
    record = work / "out/.mithril-dedup"
    whole = (record / "duplicates.jsonl.zst").read_bytes()
    (record / "duplicates.jsonl.zst").write_bytes(whole[:-9])
    refused(["duplicates.jsonl.zst", "ends before its end", "again"], 1, "report", work / "out")
    good = {"id": f"{work}/0.jsonl:3", "anchor": f"{work}/0.jsonl:1", "similarity": 1, "method": "exact"}
    for bad in ({"id": 5}, {"id": "x:1"}, {"id": f"{work}/0.jsonl:0"}, {"id": f"{work}/0.jsonl:1x"}, {"similarity": 2}, {"similarity": "1"},
                {"anchor": 7}, {"method": None}):
        lines = [json.dumps(good), json.dumps({**good, **bad})]
        (record / "duplicates.jsonl.zst").write_text("\n".join(lines) + "\n")
        refused(["duplicates.jsonl.zst: line 2", "no line of a record"], 1, "report", work / "out")
    (record / "duplicates.jsonl.zst").write_text(json.dumps(good) + "\nx\n")
    refused("line 2", 1, "clusters", work / "out")
    os.unlink(record / "duplicates.jsonl.zst")
    refused("No such file", 2, "report", work / "out")
    for bad in ("{}", "[]", "", "{", '{"inputs": [], "directory": 5}', '{"inputs": [5], "directory": "/"}'):
        (record / "run.json").write_text(bad)
        refused(["run.json", "no record of a run"], 1, "report", work / "out")
