"""libmithril-dedup by ctypes, as dedup/lib/mithril-dedup.h declares it, for pyarrow's streams."""
import ctypes as c


class Stream(c.Structure):
    _fields_ = [("callbacks", c.c_void_p * 3), ("release", c.CFUNCTYPE(None, c.c_void_p)), ("data", c.c_void_p)]


class Options(c.Structure):
    _fields_ = [("size", c.c_uint32), ("method", c.c_uint32), ("field", c.c_char_p), ("threshold", c.c_double),
                ("normalise", c.c_uint32), ("ngram", c.c_uint32), ("sketch", c.c_uint32), ("values", c.c_uint32),
                ("bands", c.c_uint32), ("rows", c.c_uint32), ("keep", c.c_uint32), ("threads", c.c_uint32),
                ("skip", c.c_uint32), ("stream", c.c_uint32)]


class Result(c.Structure):
    _fields_ = [(name, c.c_uint64) for name in ("rows", "documents", "text_bytes", "exact", "near", "candidates", "rejected",
                                                "bad", "kept", "memory")] + [("seconds", c.c_double)]


class Error(Exception):
    def __init__(self, code, why):
        super().__init__(why)
        self.code = code


class Dedup:
    """One run of a pyarrow RecordBatchReader, or of whatever exports a stream."""

    def __init__(self, library, reader, **options):
        lib = self.lib = c.CDLL(str(library))
        lib.mithril_dedup_error.restype = lib.mithril_dedup_version.restype = c.c_char_p
        lib.mithril_dedup_rows.restype = c.c_uint64
        lib.mithril_dedup_mask.restype = c.c_void_p
        o = Options()
        lib.mithril_dedup_defaults(c.byref(o), c.c_size_t(c.sizeof(o)))
        for name, value in options.items():
            setattr(o, name, value)
        self.handle = c.c_void_p()
        self.check(lib.mithril_dedup_new(c.byref(o), c.byref(self.handle)))
        stream = Stream()
        reader._export_to_c(c.addressof(stream))
        self.check(lib.mithril_dedup_run(self.handle, c.byref(stream)))
        assert not stream.release

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

    def stream(self):
        import pyarrow
        stream = Stream()
        self.check(self.lib.mithril_dedup_stream(self.handle, c.byref(stream)))
        return pyarrow.RecordBatchReader._import_from_c(c.addressof(stream))
