"""Bytes handed in as the zip of a class, collected: safe names and bounded contents, or IntakeError."""

from __future__ import annotations

import io
import os
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["autograder.intake", "zipfile"]):
    from autograder import intake

from autograder import master
from tests.fuzz import fuzz
from tests.notebooks import as_bytes, submission

RAW, BUILT = b"r", b"b"  # the first byte: the rest is the zip, or says how to build one
PARTS = [
    "ada",
    "ada_12_34_pair.ipynb",
    "bob_LATE_12_35_pair-1.ipynb",
    "Ada L_7_assignsubmission_file_",
    "/",
    "..",
    "\\",
]
PARTS += [
    "pair.ipynb",
    "pair (1).ipynb",
    "submission_metadata.yml",
    "assignment_1_export",
    "submission_9",
    "__MACOSX",
]
PARTS += [
    ".",
    "C:",
    "\0",
    "\u202e",
    ".ipynb",
    ".zip",
    "anon_x_1_2_pair.ipynb",
    "x" * 200,
    "\u00e9",
    "e\u0301",
    "NUL",
]
PARTS += [
    "Ex, Ada(ada01)",
    "Submission attachment(s)",
    "timestamp.txt",
    "Version 1",
    "Working files",
    "P_ada_attempt_2024-05-01-11-59-00",
    ".txt",
    "1-2 - Ada - Sep 1, 2024 926 PM",
    "Abgaben",
    "Ex_Ada_ada01_12",
    "archive_filelist.csv",
    "a-submissions/a-b",
    "Ada - pair.ipynb",
    "Section A",
    "late",
    "attempt 2",
    "\u8868",
]
METADATA = b"submission_9:\n  :submitters:\n  - :name: Ada\n    :sid: 1\n  :created_at: 2026-01-01 00:00:00\n"
CONTENTS = [
    b"",
    b"{}",
    as_bytes(submission()),
    METADATA,
    b"- [",
    bytes(100_000),
    b"&a [*a]",
    b"PK\x05\x06" + bytes(18),
    b"Name: Ada (ada)\n",
    b"2024-13-01T00:00:00Z",
    b"Name;;Vorname;Nachname;;;Pfad\nx;1;Ada;Ex;0;1.1.2024 10:00;pair.ipynb\n",
]


def target(data: bytes) -> None:
    content = _built(data[1:]) if data[:1] == BUILT else data[1:]
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(content)
        file.flush()
        try:
            submissions = list(intake.collect(Path(file.name), "pair"))
        except intake.IntakeError as error:
            str(error).encode()
            return
    students = [item.student for item in submissions]
    if len(set(students)) != len(students):
        raise RuntimeError(f"two students are called alike: {students}")
    for item in submissions:
        _check(item)


def _check(item: intake.Submission) -> None:
    name = item.student
    unsafe = any(letter in "/\\" or unicodedata.category(letter)[0] == "C" for letter in name)
    if not name or unsafe or name.startswith(".") or len(os.fsencode(name)) > 200:
        raise RuntimeError(f"not safe as a file's name: {name!r}")
    if item.problem and item.content:
        raise RuntimeError(f"a problem and a content: {item.problem}")
    "\n".join([item.problem, *item.faults]).encode()


def _built(data: bytes) -> bytes:
    provider = atheris.FuzzedDataProvider(data)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for _ in range(provider.ConsumeIntInRange(0, 6)):
            _add(archive, provider)
    return packed.getvalue()


def _add(archive: zipfile.ZipFile, provider: atheris.FuzzedDataProvider) -> None:
    parts = [
        PARTS[provider.ConsumeIntInRange(0, len(PARTS) - 1)] for _ in range(provider.ConsumeIntInRange(1, 4))
    ]
    member = zipfile.ZipInfo("name")
    member.filename = member.orig_filename = "".join(parts) + provider.ConsumeUnicodeNoSurrogates(5)
    member.external_attr = provider.ConsumeIntInRange(0, 2**32 - 1)
    member.compress_type = zipfile.ZIP_DEFLATED if provider.ConsumeBool() else zipfile.ZIP_STORED
    content = CONTENTS[provider.ConsumeIntInRange(0, len(CONTENTS) - 1)]
    archive.writestr(member, content + provider.ConsumeBytes(10))


def _seeds() -> list[bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada_12_34_pair.ipynb", as_bytes(submission()))
        archive.writestr("bob_LATE_12_35_pair.ipynb", b"{}")
    whole = packed.getvalue()
    built = [bytes((step * 7 + place * 31) % 256 for place in range(150)) for step in range(12)]
    return [RAW + whole, RAW + whole[:-30], RAW, *(BUILT + data for data in built)]


if __name__ == "__main__":
    master.FOLDER = Path(__file__).parents[1] / "masters"
    fuzz(target, _seeds())
