# SPDX-License-Identifier: Apache-2.0
"""Bundles and custody logs, verified from docs/bundle.md alone. Nothing here shares code with the program under test."""
import collections
import hashlib
import io
import json
import re
import tarfile
import zipfile

LINE = re.compile(rb"\A([0-9a-f]{64})  ([^\n]+)\Z")
OWN = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt")

# verdict: intact, incomplete, altered; bad: names of members that are not what they were
Report = collections.namedtuple("Report", "verdict root good bad missing")


def members(data):
    """{name: bytes} of a tar or zip; members behind a cut are left out."""
    found = {}
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            return {i.filename: z.read(i) for i in z.infolist()}
    with tarfile.open(fileobj=io.BytesIO(data)) as t:
        try:
            for m in t:
                found[m.name] = t.extractfile(m).read()
        except tarfile.ReadError:
            pass
    return found


def listed(text):
    lines = text.split(b"\n")
    if lines.pop() != b"":
        raise ValueError("no newline at the end")
    found = {}
    for line in lines:
        m = LINE.match(line)
        if not m or m.group(2).decode() in found:
            raise ValueError("line %r" % line)
        found[m.group(2).decode()] = m.group(1).decode()
    return found


def verify(data):
    has = members(data)
    bad, missing, good = [], [], 0
    for manifest, payload in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        if manifest not in has:
            missing.append(manifest)
            continue
        try:
            wanted = listed(has[manifest])
        except ValueError:
            bad.append(manifest)
            continue
        mine = {n for n in has if n.startswith("data/") == payload and n != "tagmanifest-sha256.txt"}
        bad += sorted(mine - set(wanted))
        for name, digest in wanted.items():
            if name.startswith("data/") != payload:
                bad.append(manifest)
            elif name not in has:
                missing.append(name)
            elif hashlib.sha256(has[name]).hexdigest() != digest:
                bad.append(name)
            else:
                good += payload
    if has.get("bagit.txt") != b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n" and "bagit.txt" in has:
        bad.append("bagit.txt")
    root = hashlib.sha256(has["tagmanifest-sha256.txt"]).hexdigest() if "tagmanifest-sha256.txt" in has else None
    return Report("altered" if bad else "incomplete" if missing else "intact", root, good, bad, missing)


def custody(log):
    """Entries of a custody log, all of which must follow each other."""
    entries, before = [], "0" * 64
    for line in log.splitlines(keepends=True):
        assert line.endswith(b"\n")
        e = json.loads(line)
        assert e["custody"] == 1 and e["n"] == len(entries) and e["prev"] == before, line
        before = hashlib.sha256(line).hexdigest()
        entries.append(e)
    return entries
