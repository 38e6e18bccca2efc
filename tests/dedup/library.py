"""libmithril-dedup by ctypes, as dedup/lib/mithril-dedup.h declares it, for pyarrow's streams."""
import ctypes as c
import json


class Stream(c.Structure):
    _fields_ = [("callbacks", c.c_void_p * 3), ("release", c.CFUNCTYPE(None, c.c_void_p)), ("data", c.c_void_p)]


PROGRESS = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_char_p, c.c_uint64, c.c_uint64)
FAULT = c.CFUNCTYPE(None, c.c_void_p, c.c_char_p, c.c_uint64, c.c_char_p)


def fields(text):
    kinds = {"u32": c.c_uint32, "u64": c.c_uint64, "real": c.c_double, "str": c.c_char_p, "list": c.POINTER(c.c_char_p),
             "progress": PROGRESS, "fault": FAULT, "ctx": c.c_void_p}
    return [(name, kinds[kind]) for kind, *names in (line.split() for line in text.strip().splitlines()) for name in names]


class Options(c.Structure):
    _fields_ = fields("""
        u32 size format
        str field
        u32 normalise ngram characters method
        str exact_field
        u64 line paragraph substring substring_words
        real drop threshold
        u32 distance sketch values bands rows keep
        str keep_by
        u64 expect
        real false_positives
        list against
        u64 against_count
        str against_field
        u32 overlap overlap_ngram
        real overlap_least
        u32 threads on_error
        u64 memory
        str work
        u32 shards stream
        str output
        u32 force no_record
        str duplicates clusters mask quarantine record
        progress progress
        fault fault
        ctx ctx""")


class Result(c.Structure):
    _fields_ = fields("""
        u64 rows documents text_bytes against exact near candidates rejected cut cut_bytes cut_away bad kept memory
        real seconds""")


class Cut(c.Structure):
    _fields_ = fields("u32 row from_ to")


class Explanation(c.Structure):
    _fields_ = [("bytes", c.c_uint64 * 2), ("words", c.c_uint64 * 2), ("shingles", c.c_uint64 * 2)] + fields("""
        u64 common
        real jaccard
        u32 same distance values values_equal bands bands_equal""")


class View(c.Structure):
    _fields_ = fields("""
        u32 size width colour whole json
        u64 largest members
        list records
        u64 record_count""")


class Error(Exception):
    def __init__(self, code, why):
        super().__init__(why)
        self.code = code


def paths(names):
    return (c.c_char_p * len(names))(*[str(n).encode() for n in names])


class Dedup:
    """One run of a pyarrow RecordBatchReader, or of whatever exports a stream; of a list of files; or (None) none."""

    def __init__(self, library, source, against=(), **options):
        lib = self.lib = c.CDLL(str(library))
        for name in ("error", "version", "summary", "report", "report_html", "side_by_side"):
            getattr(lib, f"mithril_dedup_{name}").restype = c.c_char_p
        lib.mithril_dedup_rows.restype = c.c_uint64
        lib.mithril_dedup_mask.restype = c.c_void_p
        lib.mithril_dedup_cuts.restype = c.POINTER(Cut)
        o = Options()
        lib.mithril_dedup_defaults(c.byref(o), c.c_size_t(c.sizeof(o)))
        for name, value in options.items():
            is_text = dict(Options._fields_)[name] is c.c_char_p and not isinstance(value, bytes)
            setattr(o, name, str(value).encode() if is_text else value)
        if against:
            o.against, o.against_count = paths(against), len(against)
        self.callbacks = options.get("progress"), options.get("fault")
        self.handle = c.c_void_p()
        self.check(lib.mithril_dedup_new(c.byref(o), c.byref(self.handle)))
        del o
        if isinstance(source, list):
            self.check(lib.mithril_dedup_files(self.handle, paths(source), c.c_size_t(len(source))))
        elif source is not None:
            stream = Stream()
            source._export_to_c(c.addressof(stream))
            rc = lib.mithril_dedup_run(self.handle, c.byref(stream))
            assert not stream.release
            self.check(rc)

    def __del__(self):
        self.lib.mithril_dedup_free(self.handle)

    def check(self, rc):
        if rc:
            raise Error(-rc, self.lib.mithril_dedup_error(self.handle).decode())

    def rows(self):
        return self.lib.mithril_dedup_rows(self.handle)

    def mask(self):
        """A list of whether each row stays."""
        at = self.lib.mithril_dedup_mask(self.handle)
        bits = c.string_at(at, (self.rows() + 7) // 8) if at else b""
        return [bool(bits[i // 8] >> (i % 8) & 1) for i in range(self.rows())]

    def fates(self):
        n = self.rows()
        how, keeper, similarity = (c.c_uint8 * n)(), (c.c_uint32 * n)(), (c.c_float * n)()
        self.check(self.lib.mithril_dedup_fates(self.handle, c.c_uint64(0), c.c_uint64(n), how, keeper, similarity))
        return list(how), list(keeper), list(similarity)

    def result(self):
        r = Result()
        self.lib.mithril_dedup_get_result(self.handle, c.byref(r))
        return {name: getattr(r, name) for name, _ in r._fields_}

    def summary(self):
        return json.loads(self.lib.mithril_dedup_summary(self.handle))

    def report(self, place, largest=10):
        text = self.lib.mithril_dedup_report(self.handle, str(place).encode(), c.c_uint64(largest))
        if not text:
            raise Error(0, self.lib.mithril_dedup_error(self.handle).decode())
        return json.loads(text)

    def text(self, call, *arguments):
        text = call(self.handle, *arguments)
        if not text:
            raise Error(0, self.lib.mithril_dedup_error(self.handle).decode())
        return text.decode()

    def page(self, place, largest=10):
        return self.text(self.lib.mithril_dedup_report_html, str(place).encode(), c.c_uint64(largest))

    def side_by_side(self, place, records=(), **options):
        view = View(size=c.sizeof(View), records=paths(records), record_count=len(records), **options)
        return self.text(self.lib.mithril_dedup_side_by_side, str(place).encode(), c.byref(view))

    def cuts(self):
        n = c.c_uint64()
        v = self.lib.mithril_dedup_cuts(self.handle, c.byref(n))
        return [(v[i].row, v[i].from_, v[i].to) for i in range(n.value)]

    def stream(self):
        import pyarrow
        stream = Stream()
        self.check(self.lib.mithril_dedup_stream(self.handle, c.byref(stream)))
        return pyarrow.RecordBatchReader._import_from_c(c.addressof(stream))

    def filter(self, again):
        import pyarrow
        stream, source = Stream(), Stream()
        again._export_to_c(c.addressof(source))
        rc = self.lib.mithril_dedup_filter(self.handle, c.byref(source), c.byref(stream))
        assert not source.release
        self.check(rc)
        return pyarrow.RecordBatchReader._import_from_c(c.addressof(stream))

    def explain(self, a, b):
        texts = [t.encode("utf-8", "surrogateescape") for t in (a, b)]
        e = Explanation()
        self.check(self.lib.mithril_dedup_explain(self.handle, (c.c_char_p * 2)(*texts), (c.c_size_t * 2)(*map(len, texts)), c.byref(e)))
        return {name: list(v) if isinstance(v := getattr(e, name), c.Array) else v for name, _ in e._fields_}
