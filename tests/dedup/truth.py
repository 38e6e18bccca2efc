"""What mithril-dedup(1) says it does, done again the slow way: normalisation, shingles, exact Jaccard, and the texts that
stay when each is held against every anchor before it."""
import collections
import unicodedata


def stands_alone(c):
    """Han, Hiragana or Katakana."""
    return "\u3040" <= c <= "\u30ff" or "\u3400" <= c <= "\u4dbf" or "\u4e00" <= c <= "\u9fff" or c >= "\U00020000"


def words(text, split=True):
    """split: Han, Hiragana and Katakana are words by themselves."""
    out, word = [], []

    def end():
        if word:
            out.append("".join(word))
            word.clear()

    for c in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(c)
        if c in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85" or kind in ("Zs", "Zl", "Zp"):
            end()
        elif kind in ("Cc", "Cf") or kind[0] in "PS":
            continue
        else:
            lower = c.lower() if len(c.lower()) == 1 else c
            alone = split and stands_alone(c)
            if alone:
                end()
            word.append(lower)
            if alone:
                end()
    end()
    return out


def shingles(text, n=5, characters=False):
    w = " ".join(words(text, split=False)) if characters else words(text)
    if not w:
        return frozenset()
    return frozenset(tuple(w[i:i + n]) for i in range(max(1, len(w) - n + 1)))


def jaccard(a, b):
    both = len(a & b)
    return both / (len(a) + len(b) - both) if a or b else 0.0


def similar_pairs(sets, threshold):
    """{(i, j): Jaccard} of all i < j at or above the threshold; exact, by counting common shingles."""
    where = collections.defaultdict(list)
    found = {}
    for j, s in enumerate(sets):
        common = collections.Counter()
        for shingle in s:
            common.update(where[shingle])
            where[shingle].append(j)
        for i, n in common.items():
            similarity = n / (len(sets[i]) + len(s) - n)
            if similarity >= threshold:
                found[i, j] = similarity
    return found


def anchors(count, pairs):
    """For each document the first anchor that it is similar to, or itself."""
    before = collections.defaultdict(list)
    for i, j in pairs:
        before[j].append(i)
    anchor = list(range(count))
    for j in range(count):
        anchor[j] = next((i for i in sorted(before[j]) if anchor[i] == i), j)
    return anchor
