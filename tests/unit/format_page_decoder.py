#!/usr/bin/env python3
"""A decoder of payloads written from mithril-format(5) alone: format_page_decoder.py [GOLDEN.H [PAGE]]

Decodes every golden payload of the unit tests and the page's own examples, and compares. Payloads with zstd in them are left
out where the zstandard module is missing.
"""
import ctypes
import math
import pathlib
import re
import struct
import sys

try:
    import zstandard
except ImportError:
    zstandard = None

HERE = pathlib.Path(__file__).resolve().parent
CODECS = {"STORED": 0, "CONSTANT": 1, "ZSTD": 2, "ZSTD_BASE": 3, "PLANES": 4, "XOR": 5, "DIFF": 6, "SYMBOLS": 16,
          "SYMBOLS_DIFF": 17, "CHANGES": 18, "STEP": 27}
WIDTHS = {"U64": 8, "I64": 8, "F64": 8, "C128": 8, "U32": 4, "I32": 4, "F32": 4, "C64": 4, "U16": 2, "I16": 2, "F16": 2,
          "BF16": 2}
FLOATS = {"F16", "BF16", "F32", "F64", "C64", "C128", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"}
ROTATED = {"BF16", "F32", "C64"}
ELEMENT = {**WIDTHS, "C64": 8, "C128": 16}


class Invalid(Exception):
    pass


class Missing(Exception):
    """A part that needs a module that is not installed."""


def check(condition):
    if not condition:
        raise Invalid


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        check(self.at + n <= len(self.data))
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n, signed=False):
        return int.from_bytes(self.take(n), "little", signed=signed)

    def varint(self):
        value = 0
        for i in range(4):
            byte = self.number(1)
            value |= (byte & 127) << 7 * i
            if byte < 128:
                check(byte or not i)
                return value
        raise Invalid

    def left(self):
        return len(self.data) - self.at


def unzstd(frame, n, prefix=None):
    if not zstandard:
        raise Missing
    words = zstandard.ZstdCompressionDict(prefix, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if prefix else None
    out = zstandard.ZstdDecompressor(dict_data=words).decompress(frame, max_output_size=n)
    check(len(out) == n)
    return out


def block(source, n, depth=0):
    if depth and not n:
        return b""
    method = source.number(1)
    if method == 0:
        return source.take(n)
    if method == 1:
        return source.take(1) * n
    if method == 2:
        return unzstd(source.take(source.varint()), n)
    check(not depth)
    if method == 4:
        return rans(Bytes(source.take(source.varint())), n)
    check(method == 3)
    fill, count, gaps = source.take(1), source.varint(), source.varint()
    check(count <= n and count <= gaps)
    skips, values = block(source, gaps, 1), list(block(source, count, 1))
    out, at = bytearray(fill * n), 0
    for skip in skips:
        at += skip
        if skip < 255:
            check(at < n and values)
            out[at] = values.pop(0)
            at += 1
    check(not values)
    return bytes(out)


def order(x, bits):
    return ~x & (1 << bits) - 1 if x >> bits - 1 else x | 1 << bits - 1


def unorder(y, bits):
    return y ^ 1 << bits - 1 if y >> bits - 1 else ~y & (1 << bits) - 1


def unzigzag(z):
    return -(z + 1) // 2 if z & 1 else z // 2


def elements(data, width):
    return [int.from_bytes(data[i:i + width], "little") for i in range(0, len(data) // width * width, width)]


def planes(codec, dtype, payload, raw_len, base):
    width, source = WIDTHS.get(dtype, 1), Bytes(payload)
    bits, n = 8 * width, raw_len // width
    mask = (1 << bits) - 1
    check(n)
    rows = [block(source, n) for _ in range(width)]
    out = b""
    for i in range(n):
        x = int.from_bytes(bytes(row[i] for row in rows), "big")
        if codec < 6 and dtype in ROTATED:
            x = x >> 1 | (x & 1) << bits - 1
        if codec == 5:
            x ^= elements(base, width)[i]
        if codec == 6 and dtype in FLOATS:
            x = unorder(unzigzag(x) + order(elements(base, width)[i], bits) & mask, bits)
        elif codec == 6:
            x = unzigzag(x) + elements(base, width)[i] & mask
        out += x.to_bytes(width, "little")
    out += source.take(raw_len % width)
    check(not source.left())
    return out


class Range:
    def __init__(self, data):
        self.source, self.range = Bytes(data), (1 << 64) - 1
        self.code = self.four() << 32 | self.four()

    def four(self):
        some = self.source.take(min(4, self.source.left()))
        return int.from_bytes(some + bytes(4 - len(some)), "big")

    def within(self, f, t):
        unit = self.range >> 16
        return f * unit <= self.code and (t == 65536 or self.code < t * unit)

    def take(self, f, t):
        unit = self.range >> 16
        self.code -= f * unit
        self.range = self.range - f * unit if t == 65536 else (t - f) * unit
        if self.range < 1 << 32:
            self.range <<= 32
            self.code = self.code << 32 | self.four()

    def bit(self, p=32768):
        one = not self.within(0, p)
        self.take(*((p, 65536) if one else (0, p)))
        return int(one)

    def learning(self, p, i=0):
        bit = self.bit(p[i])
        p[i] += -(p[i] // 16) if bit else (65535 - p[i]) // 16
        return bit

    def gamma(self, p):
        ones = 0
        while ones < 31 and self.learning(p, ones):
            ones += 1
        value = 1
        for _ in range(ones):
            value = value << 1 | self.bit()
        return value - 1

    def end(self):
        data = self.source.data
        check(not self.source.left() and (not data or data[-1]))


def fresh(n=32):
    return [32768] * n


class Numbers:
    """What elements are, and their classes."""

    def __init__(self, dtype, raw_len, base):
        check(dtype in FLOATS - {"F64", "C128"})
        self.width = WIDTHS.get(dtype, 1)
        self.bits, self.n = 8 * self.width, raw_len // self.width
        check(self.n)
        self.count, self.classes, self.base = 1, [0] * self.n, None
        if base is not None:
            check(len(base) == raw_len)
            shift = {"BF16": 7, "F16": 10}.get(dtype, 23 if self.width == 4 else 0)
            self.count = {"F16": 32}.get(dtype, 128 if self.width == 1 else 256)
            self.base = elements(base, self.width)
            self.classes = [(b & (1 << self.bits - 1) - 1) >> shift for b in self.base]

    def element(self, i, number):
        number &= (1 << self.bits) - 1
        if self.base is None:
            x = number >> 1 | (number & 1) << self.bits - 1
        else:
            x = unorder(number + order(self.base[i], self.bits) & (1 << self.bits) - 1, self.bits)
        return x.to_bytes(self.width, "little")


def read_model(coder, classes, tables, bits):
    d, t, s = fresh(2), fresh(1), fresh()
    shifts, of, table, shift, differed = [], [], 0, 0, 0
    for _ in range(classes):
        differed = coder.learning(d, differed)
        if differed:
            table += coder.learning(t)
            shift += unzigzag(coder.gamma(s))
        check(0 <= shift <= min(bits - 1, 30) and table < tables)
        shifts.append(shift)
        of.append(table)
    a, b, c = fresh(), fresh(), fresh()
    freqs = []
    for _ in range(tables):
        freqs.append([])
        before = 0
        while sum(freqs[-1]) < 2048 and len(freqs[-1]) < 256:
            before += unzigzag(coder.gamma(c if before > 2 else b if before else a))
            check(0 <= before <= 12)
            f = int(before > 0)
            for _ in range(before - 1):
                f = f << 1 | coder.bit()
            freqs[-1].append(f)
        check(sum(freqs[-1]) == 2048)
    return shifts, of, freqs


class Lanes:
    def __init__(self, source, count, words):
        self.states = [source.number(4) for _ in range(count)]
        self.words = words

    def renew(self, lane, x):
        if x < 32768:
            x = 65536 * x + self.words.number(2)
        self.states[lane] = x

    def symbol(self, lane, freqs):
        x, symbol, start = self.states[lane], 0, 0
        slot = x % 2048
        while slot >= start + freqs[symbol]:
            start += freqs[symbol]
            symbol += 1
        self.renew(lane, freqs[symbol] * (x // 2048) + slot - start)
        return symbol

    def flag(self, lane, frequency):
        x = self.states[lane]
        slot, high = x % 4096, x // 4096
        if slot < frequency:
            self.renew(lane, frequency * high + slot)
            return 0
        self.renew(lane, (4096 - frequency) * high + slot - frequency)
        return 1

    def raw(self, lane, bits):
        x = self.states[lane]
        self.renew(lane, x >> bits)
        return x & (1 << bits) - 1


def symbols(dtype, payload, raw_len, base):
    numbers, source = Numbers(dtype, raw_len, base), Bytes(payload)
    head, origin = source.number(1), source.number(2, signed=True)
    check(head < 16)
    coder = Range(source.take(source.varint()))
    shifts, of, freqs = read_model(coder, numbers.count, head % 8 + 1, numbers.bits)
    count, tail = 32 if head & 8 else 64, raw_len % numbers.width
    lanes = Lanes(source, count, source)
    words = Bytes(source.take(source.left() - tail))
    lanes.words = words
    e, f, out = fresh(1), (fresh(), fresh()), b""
    for row in range(0, numbers.n, count):
        here = range(row, min(row + count, numbers.n))
        found = [lanes.symbol(i - row, freqs[of[numbers.classes[i]]]) for i in here]
        shift = [shifts[numbers.classes[i]] for i in here]
        low = [lanes.raw(k, min(s, 15)) for k, s in enumerate(shift)]
        high = [lanes.raw(k, max(s - 15, 0)) for k, s in enumerate(shift)]
        for k, i in enumerate(here):
            symbol = found[k]
            if symbol == 255:
                below = coder.learning(e)
                g = coder.gamma(f[below])
                symbol = (1 << numbers.bits - shift[k]) - 1 - g if below else 255 + g
            out += numbers.element(i, (origin + symbol << shift[k]) + (high[k] << 15) + low[k])
    coder.end()
    check(not words.left() and set(lanes.states) == {32768})
    return out + source.take(tail)


def rans(source, n):
    coder = Range(source.take(source.varint()))
    freqs = read_model(coder, 1, 1, 1)[2][0]
    coder.end()
    count = 32 if n < 32768 else 64
    lanes = Lanes(source, count, source)
    out = bytes(lanes.symbol(i % count, freqs) for i in range(n))
    check(not source.left() and set(lanes.states) == {32768})
    return out


def root256(x):
    low, high = 0, 65536
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle ** 256 <= x else (low, middle - 1)
    return low


def weight_of(level):
    return (4 + (level - 1) % 4 << (level - 1) // 4) // 4 if level else 0


def frequency_of(level):
    # 2^16 * 2^(-r / 256), rounded down, by the 256th root of an integer: exact
    q, r = weight_of(level) >> 12, weight_of(level) >> 4 & 255
    power = root256(1 << 16 * 256 - r) if r else 65536
    return min(max(power >> q >> 4, 1), 4095 if level else 4096)


class Bits:
    def __init__(self, source):
        self.source, self.byte, self.left = source, 0, 0

    def take(self, count):
        number = 0
        for i in range(count):
            if not self.left:
                self.byte, self.left = self.source.number(1), 8
            number |= (self.byte & 1) << i
            self.byte, self.left = self.byte >> 1, self.left - 1
        return number

    def end(self):
        check(not self.byte)


def changes(dtype, payload, raw_len, base):
    check(base is not None)
    numbers, source = Numbers(dtype, raw_len, base), Bytes(payload)
    log = source.number(1)
    check(log <= 6)
    coder, states = Range(source.take(source.varint())), Bits(source)
    lanes = Lanes(source, 0, None)
    for _ in range(1 << log):
        bits = 15 + states.take(4)
        lanes.states.append(1 << bits | states.take(bits))
    states.end()
    tail = raw_len % numbers.width
    lanes.words = Bytes(source.take(source.left() - tail))

    m, r, level, levels, differed = (fresh(), fresh()), fresh(), 0, [], 0
    for _ in range(numbers.count):
        step = unzigzag(coder.gamma(m[differed]))
        differed = int(step != 0)
        level += step
        check(0 <= level <= 63)
        levels.append(level)
    kinds, level = [0], 0
    for _ in range(16):
        level += unzigzag(coder.gamma(r))
        check(0 <= level <= 63)
        kinds.append(level)

    of = [frequency_of(level) for level in range(64)]
    places = [i for i in range(numbers.n) if lanes.flag(i % len(lanes.states), of[levels[numbers.classes[i]]])]
    kind = [(levels[numbers.classes[i]] + 3) // 4 for i in places]
    more = [lanes.flag(k % len(lanes.states), of[kinds[c]]) for k, c in enumerate(kind)]
    check(all(x < 65536 for x in lanes.states))
    inside, rest = [x - 32768 for x in lanes.states], Bits(lanes.words)
    z, found = [fresh() for _ in range(17)], [0] * numbers.n
    for k, i in enumerate(places):
        lane = k % len(inside)
        if k < 15 * len(inside):
            negative, inside[lane] = inside[lane] & 1, inside[lane] >> 1
        else:
            negative = rest.take(1)
        amount = 2 + coder.gamma(z[kind[k]]) if more[k] else 1
        found[i] = -amount if negative else amount
    rest.end()
    check(not any(inside) and not lanes.words.left())
    coder.end()
    return b"".join(numbers.element(i, d) for i, d in enumerate(found)) + source.take(tail)


def f32(x):
    """A double rounded to f32: of a sum, product, quotient or root of two f32 that is what f32 arithmetic gives."""
    return ctypes.c_float(x).value


def divide(x, y):
    if y or math.isnan(x) or not x:
        return x / y if y else math.nan
    return math.copysign(math.inf, math.copysign(1, x) * math.copysign(1, y))


def root(x):
    return f32(math.sqrt(x)) if x >= 0 else math.nan


def moment(k, x, m, y):
    a, b, c = k
    g = f32(y + f32(f32(m - y) * a))
    return f32(f32(b * x) + f32(f32(c * g) * g))


def weights(k, x, m, y):
    a, b, c = k
    return f32(f32(a * x) - f32(b * f32(divide(m, f32(root(y) + c)))))


def first(k, x, v, w, y):
    a, b, c, d, e, f = k
    r = divide(f32(a * y) - w, b)
    h, s = r * r, f * d
    g = (x - x * d) + d * (r * c)
    p, q = 1 - h * (s * d), (h * s) * g
    t = (q * q) + (p * (h * ((e * v) + ((f * g) * g))))
    t = math.copysign(math.sqrt(t), r) if t >= 0 else math.nan
    return f32(divide(q + t, p) + r * c)


def step(dtype, payload, raw_len, bases):
    source = Bytes(payload)
    form = source.number(1)
    check(form < 3)
    expect, coefficients = ((moment, 3), (weights, 3), (first, 6))[form]
    check(dtype == "F32" and len(bases) == (4 if form == 2 else 3) and all(len(base) == raw_len for base in bases))
    k = struct.unpack(f"<{coefficients}f", source.take(4 * coefficients))
    expected = b""
    for elements_there in zip(*(struct.unpack(f"<{raw_len // 4}f", base[:raw_len // 4 * 4]) for base in bases)):
        value = expect(k, *elements_there)
        expected += bytes.fromhex("0000c07f") if math.isnan(value) else struct.pack("<f", value)
    return planes(6, dtype, source.take(source.left()), raw_len, expected)


def decode(codec, dtype, payload, raw_len, base):
    if codec == 27:
        return step(dtype, payload, raw_len, base)
    if codec == 0:
        check(len(payload) == raw_len)
        return payload
    if codec == 1:
        check(len(payload) == ELEMENT.get(dtype, 1) < raw_len)
        return (payload * raw_len)[:raw_len]
    if codec in (2, 3):
        return unzstd(payload, raw_len, base if codec == 3 else None)
    if codec in (4, 5, 6):
        check(codec == 4 or base is not None and len(base) == raw_len)
        return planes(codec, dtype, payload, raw_len, base)
    if codec == 16:
        return symbols(dtype, payload, raw_len, None)
    if codec == 17:
        check(base is not None)
        return symbols(dtype, payload, raw_len, base)
    check(codec == 18)
    return changes(dtype, payload, raw_len, base)


def goldens(path):
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    for codec, dtype, rest in re.findall(r"\{CODEC_(\w+),\s*DTYPE_(\w+),(.*?)\}", text, flags=re.S):
        raw, base, payload = (bytes.fromhex("".join(re.findall(r'"(\w*)"', part)))
                              for part in re.findall(r'(?:"\w*"\s*)+', rest))
        yield f"{path.name}: {codec} of {dtype}", CODECS[codec], dtype, raw, base or None, payload


def golden_steps(path):
    """The table of the unit test: what it gives, three bases, payload; 0 or an error."""
    table = path.read_text().split("golden_steps(")[1].split("};")[0]
    for number, case in enumerate(re.findall(r"\{(.*?)\}", re.sub(r"/\*.*?\*/", "", table.split("cases[]")[1], flags=re.S), flags=re.S)):
        raw, x, m, y, payload, *fourth = (bytes.fromhex("".join(re.findall(r'"(\w*)"', part)))
                                         for part in re.findall(r'(?:"\w*"\s*)+', case))
        yield f"{path.name}: step {number}", "EBADMSG" not in case, raw, [x, m, y, *fourth], payload


def examples(path):
    raw = bytes.fromhex("0000803f 0000c03f 000000c0 0000003f")
    after = bytes.fromhex("0100803f 0000c03f 000000c0 ffffff3e")
    for name, codec, base, want in (("constant", 1, None, bytes.fromhex("0000803f") * 4), ("planes", 4, None, raw),
                                    ("xor", 5, raw, after), ("diff", 6, raw, after), ("symbols", 16, None, raw),
                                    ("symbols-diff", 17, raw, after), ("changes", 18, raw, after), ("step", 27, [raw] * 3, after)):
        text = path.read_text().split(f'.\\" example {name}\n')[1].split(".Ed")[0]
        payload = bytes.fromhex("".join(line[10:] for line in text.splitlines()))
        yield f"{path.name}: {name}", codec, "F32", want, base, payload


def main():
    golden = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "fixtures" / "codec" / "golden.h")
    page = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else HERE.parents[1] / "packaging" / "man" / "mithril-format.5")
    seen, bad = set(), 0
    steps = [(what, 27, "F32", raw if good else None, bases, payload) for what, good, raw, bases, payload
             in golden_steps(HERE / "test_codec.c")]
    for what, codec, dtype, raw, base, payload in [*goldens(golden), *examples(page), *steps]:
        try:
            same = decode(codec, dtype, payload, len(raw if raw is not None else base[0]), base) == raw
        except Missing:
            print(f"{what}: left out, zstandard is missing")
            continue
        except Invalid:
            same = raw is None
        seen.add(codec)
        if not same:
            print(f"{what}: does not decode as the page says")
            bad = 1
    if not seen >= {0, 1, 4, 5, 6, 16, 17, 18, 27} or len(steps) < 10:
        print("no payload of some codec was decoded")
        bad = 1
    sys.exit(bad)


main()
