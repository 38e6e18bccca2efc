"""Corpora of any size with known near duplicates, for the benchmarks of mithril-dedup."""
import json
import random
import re

EDITS = [0, .01, .02, .05, .1, .2, .4]


def sentences_of(path, rnd):
    if path is None:
        words = ["".join(rnd.choices("abcdefghijklmnopqrstuvwxyz", k=rnd.randrange(2, 11))) for _ in range(30000)]
        return [" ".join(rnd.choices(words, k=rnd.randrange(5, 40))) + "." for _ in range(60000)]
    out = []
    for line in open(path):
        out += [s for s in re.split(r"(?<=[.!?])\s+|\n{2,}", json.loads(line)["text"]) if 20 <= len(s) <= 600]
    return out


def edited(text, share, words, rnd):
    w = text.split(" ")
    for place in rnd.sample(range(len(w)), int(share * len(w))):
        w[place] = rnd.choice(words)
    return " ".join(w)


def span_of(text):
    least, most = map(int, text.split("-"))
    return least, most


def make(path, documents, source, seed, sentences=(4, 39)):
    """Earlier texts that are copied are a sample of all, so that copies lie near their originals and far from them."""
    rnd = random.Random(seed)
    drawn = sentences_of(source, rnd)
    words = " ".join(drawn[:20000]).split()
    sample = []
    with open(path, "w") as out:
        for number in range(documents):
            record = {"id": number}
            if sample and rnd.random() < .25:
                record["of"], text = rnd.choice(sample)
                record["edit"] = rnd.choice(EDITS)
                record["text"] = edited(text, record["edit"], words, rnd)
            else:
                record["text"] = " ".join(rnd.choices(drawn, k=rnd.randrange(sentences[0], sentences[1] + 1)))
                place = rnd.randrange(number + 1)
                if len(sample) < 50000:
                    sample.append((number, record["text"]))
                elif place < 50000:
                    sample[place] = number, record["text"]
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
