"""Gradescope's export of submissions: `submission_M/...`, and whose they are in submission_metadata.yml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import yaml

from autograder.intake.files import Entry, Refused, shown
from autograder.intake.handed import Claims, Handed, Owner, is_notebook, stem

METADATA = "submission_metadata.yml"
_ROOT = re.compile(r"assignment_\d+_export.*", re.DOTALL)
_SUBMISSION = re.compile(r"submission_(?P<id>\d+)")
_MAX_METADATA = 8 * 2**20
_DATE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?")


def claims(entries: Sequence[Entry], assignment: str) -> Claims:
    """Everything beside a metadata file, group work once for each member."""
    exports = {entry.parts[:-1]: entry for entry in entries if _is_metadata(entry)}
    inside: dict[tuple[str, ...], list[Entry]] = {root: [] for root in exports}
    for entry in entries:
        roots = (entry.parts[:depth] for depth in range(len(entry.parts)))
        if (root := next(filter(exports.__contains__, roots), None)) is not None and entry != exports[root]:
            inside[root].append(entry)
    found = Claims([], ignored=list(exports.values()))
    for root, metadata in exports.items():
        found.handed.extend(_export(metadata, inside[root], len(root)))
    return found


def _is_metadata(entry: Entry) -> bool:
    """In an export's own folder only: in a student's folder it would be the student's word."""
    *root, name = entry.parts
    return name == METADATA and all(map(_ROOT.fullmatch, root[-1:])) and not any(map(_SUBMISSION.match, root))


def _export(metadata: Entry, inside: Sequence[Entry], depth: int) -> Iterator[Handed]:
    records, problem = _records(metadata)
    found: dict[str, list[Entry]] = {}
    for entry in inside:
        found.setdefault(entry.parts[depth], []).append(entry)
    for name in {**found, **records}:
        missing = Entry((name,), is_folder=True, problem=f"The download holds no '{shown(name)}'.")
        entries = found.get(name, [missing])
        if name in records or _SUBMISSION.match(name) or any(is_notebook(item.parts[-1]) for item in entries):
            yield from _submission(name, records.get(name), entries, depth, problem)


def _submission(
    name: str, record: object, entries: Sequence[Entry], depth: int, problem: str
) -> Iterator[Handed]:
    created = _created(record)
    submitters = _submitters(name, record)
    for owner in submitters:
        others = [shown(other.name) for other in submitters if other != owner]
        note = f"handed in together with {', '.join(others)}" if others else problem
        for entry in entries:
            file = entry.parts[-1] if len(entry.parts) > depth + 1 else ""
            newness = created or entry.date
            yield Handed(owner, entry, name, file, newness, note=note, handed_in=created)


def _records(metadata: Entry) -> tuple[dict[str, object], str]:
    """What the metadata says of each submission, and why it says nothing.

    All values are read as text: Ruby's tags are ignored, nothing is constructed or merged.
    """
    unread = f"{METADATA} could not be read: the folder's name stands for the student's"
    try:
        text = metadata.read()
        if len(text) > _MAX_METADATA:
            return {}, unread
        records = yaml.load(text, Loader=yaml.BaseLoader)
    except (Refused, yaml.YAMLError, ValueError, RecursionError):
        return {}, unread
    if not isinstance(records, dict):
        return {}, unread
    return {_text(name): record for name, record in records.items() if isinstance(name, str) and name}, ""


def _text(value: object) -> str:
    """A value as text without lone surrogates, which YAML can escape and no file can hold."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _field(record: object, name: str) -> str:
    return _text(record.get(f":{name}")) if isinstance(record, dict) else ""


def _submitters(name: str, record: object) -> list[Owner]:
    match = _SUBMISSION.match(name)
    submission = match["id"] if match else stem(name)
    people = record.get(":submitters") if isinstance(record, dict) else None
    owners = [_submitter(person, submission) for person in people] if isinstance(people, list) else []
    unnamed = Owner(("gradescope", name), name, "gradescope", submission)
    return list(dict.fromkeys(filter(None, owners))) or [unnamed]


def _submitter(person: object, submission: str) -> Owner | None:
    """The owner is known by the student's id or address; the number changes with every submission."""
    name, email, sid = (_field(person, field) for field in ("name", "email", "sid"))
    known = sid or email or name
    if not known:
        return None
    tag = "" if known == (name or email) else known
    return Owner(("gradescope", known), name or email or sid, "gradescope", submission, tag, email)


def _created(record: object) -> str:
    match = _DATE.match(_field(record, "created_at"))
    return match[0].replace("T", " ") if match else ""
