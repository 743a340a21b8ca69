# SPDX-License-Identifier: Apache-2.0
"""What the Python tests share: finding things, running the program, counting results."""
import atexit
import functools
import gzip
import json
import os
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(os.path.dirname(ROOT), "shared")
DEMO = os.path.join(ROOT, "tests", "captures", "intrusion.scap")

# A shell without job control starts what goes on in the background deaf to SIGINT; what tests start shall heed it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def scapula_path():
    return os.environ.get("SCAPULA", os.path.join(ROOT, "build", "dev", "scapula"))


def have_shared():
    return os.path.isdir(os.path.join(SHARED, "golden"))


def corpus(name):
    for folder in ("public", "recorded"):
        path = os.path.join(SHARED, "corpus", folder, name + ".scap")
        if os.path.exists(path):
            return path
        if os.path.exists(path + ".zst"):
            return path + ".zst"
    raise FileNotFoundError(name)


def read_all(path):
    """The bytes of a plain, gzip or .zst file."""
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout
    with open(path, "rb") as f:
        data = f.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def read_lines(path):
    """Lines of a plain, gzip or .zst file, as bytes."""
    return read_all(path).splitlines()


def read_json_lines(path):
    return [json.loads(line) for line in read_lines(path)]


def run(args, stdin=None, timeout=120, env=None, cwd=None):
    """Run the program under test; returns (status, stdout, stderr), the latter two as text."""
    full_env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
    full_env.setdefault("SCAPULA_CACHE_SIZE", "0")  # indexes are kept where a test asks for them
    full_env.setdefault("ASAN_OPTIONS", "abort_on_error=0:exitcode=99:detect_leaks=1")
    full_env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    full_env.update(env or {})
    p = subprocess.run([scapula_path()] + args, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=timeout, env=full_env, cwd=cwd or ROOT)
    return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")


_started = []  # (process, whether its group is its own)


def popen(args, **kw):
    """subprocess.Popen; what a test that failed leaves behind is killed when the tests end, with its group if that is its own."""
    p = subprocess.Popen(args, **kw)
    _started.append((p, kw.get("start_new_session", False)))
    return p


@atexit.register
def _kill_started():
    for p, group in _started:
        if p.poll() is not None:
            continue
        if group:
            os.killpg(p.pid, signal.SIGKILL)
        else:
            p.kill()
        p.wait()


signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@functools.lru_cache(maxsize=None)
def can_record():
    """Whether this host and user can record: BPF, BTF, privileges."""
    return run(["record", "--check"])[0] == 0


class Results:
    """Counts checks; at the end prints one line 'NAME: N passed, N failed, N skipped' and gives the exit status."""

    def __init__(self, name):
        self.name = name
        self.passed = self.failed = self.skipped = 0

    def check(self, ok, what, detail=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print("FAIL %s: %s%s" % (self.name, what, "\n" + detail if detail else ""), flush=True)
        return ok

    def equal(self, got, want, what):
        return self.check(got == want, what, "  got:  %.2000r\n  want: %.2000r" % (got, want))

    def skip(self, what):
        self.skipped += 1
        print("SKIP %s: %s" % (self.name, what), flush=True)

    def finish(self):
        print("%s: %d passed, %d failed, %d skipped" % (self.name, self.passed, self.failed, self.skipped), flush=True)
        if self.passed + self.failed + self.skipped == 0:
            sys.exit(1)
        sys.exit(1 if self.failed else 0)
