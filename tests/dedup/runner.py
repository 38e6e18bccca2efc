"""Tests that are functions, each with a directory of its own: collects them with @test, runs those that are named on the
command line or all, and ends with "N passed, N failed, N skipped"."""
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

TESTS = []


class Skip(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


def main():
    passed = failed = skipped = 0
    for one in [t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]]:
        work = pathlib.Path(tempfile.mkdtemp(prefix="mithril-dedup-"))
        start = time.monotonic()
        try:
            one(work)
            print(f"ok {one.__name__} ({time.monotonic() - start:.1f} s)")
            passed += 1
        except Skip as why:
            print(f"skip {one.__name__}: {why}")
            skipped += 1
        except Exception:
            print(f"NOT ok {one.__name__}\n{traceback.format_exc()}")
            failed += 1
        shutil.rmtree(work, ignore_errors=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0
