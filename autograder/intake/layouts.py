"""Whose file is this? The layouts in which Canvas, Moodle, Gradescope and people keep a class."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

import yaml

from autograder.intake.files import Entry, Refused, shown
from autograder.intake.people import Person, Upload

_CANVAS = re.compile(
    r"""
    (?:(?P<name>(?!LATE_|anon_).*?)_)?    # sortable name: lower case, no spaces; none when anonymous
    (?:(?P<late>LATE)_)?
    (?P<user>\d+|anon_[^\W_]+)_
    (?:
        (?P<attachment>\d+)_(?P<file>.+)  # an upload, under the name the student gave it
        | (?P<online>(?:text|link)\.html) # a text or an address typed into Canvas
    )
    """,
    re.VERBOSE | re.DOTALL,
)
"""Written by Canvas, lib/content_zipper.rb: get_filename, add_upload_submission, add_text_or_url."""

_CANVAS_VERSION = re.compile(r"(?P<series>.+)-(?P<version>\d{1,2})", re.DOTALL)
"""The stem of a file that was handed in again: Attachment.make_unique_filename adds -1, -2, ..."""

_MOODLE = re.compile(
    r"""
    (?P<name>.*)_                         # full name, or "Participant" in blind marking
    (?P<participant>\d+)_                 # of this assignment, not of the user
    assignsubmission_(?P<plugin>[a-z]+)
    (?:_(?P<file>.*))?                    # the file itself in a flat download; older folders end with "_"
    """,
    re.VERBOSE | re.DOTALL,
)
"""Written by Moodle's assign module: load_submissionplugin_filelist, as folders or flat."""

_GRADESCOPE_ROOT = re.compile(r"assignment_\d+_export.*", re.DOTALL)
_GRADESCOPE_ENTRY = re.compile(r"submission_(?P<id>\d+)")
_METADATA = "submission_metadata.yml"
_MAX_METADATA = 8 * 2**20
_DATE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?")

_HANDED_IN = (".ipynb", ".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".py", ".html", ".pdf")
"""What looks like a hand-in among loose files; others (a class list, notes) are the instructor's own."""


@dataclasses.dataclass(frozen=True)
class Owner:
    """A student as the download names them.

    key: one for each person; name: not cleaned; lms, number: the system, and its number for them;
    tag: tells namesakes apart; lasting: the tag is the same in every assignment, so it may
    always stand in the student's id.
    """

    key: tuple[str, ...]
    name: str
    lms: str = ""
    number: str = ""
    tag: str = ""
    lasting: bool = False
    email: str = ""
    login: str = ""


@dataclasses.dataclass(frozen=True)
class Handed:
    """An entry with its owner.

    attempt: label of what was handed in together; file: the name the student gave, if any;
    series, version: files of one series are versions of each other; newness: sorts by time;
    upload: the way back into the LMS for a file, if there is one; handed_in: when, if the download says so.
    """

    owner: Owner
    entry: Entry
    attempt: str
    file: str
    newness: str
    series: str = ""
    version: int = 0
    late: bool = False
    note: str = ""
    upload: Upload | None = None
    handed_in: str = ""

    @property
    def person(self) -> Person:
        """Who this is in the LMS."""
        owner = self.owner
        return Person(
            owner.lms, owner.number, owner.name, owner.email, owner.login, self.handed_in, self.upload
        )


def assigned(entries: list[Entry], assignment: str, *, zipped: bool) -> list[Handed]:
    """Every entry that looks like (part of) a hand-in, with its owner; group work once per member.

    zipped: the entries are a zip's, which may hold the folder of the class, not the class itself.
    """
    inner = _without_outer_folder(entries)
    if inner and (_is_download(inner) or (zipped and _is_class(inner, assignment))):
        return list(_assigned(inner))
    return list(_assigned(entries))


def _assigned(entries: list[Entry]) -> Iterator[Handed]:
    exports = {entry.parts[:-1]: entry for entry in entries if _is_metadata(entry)}
    for root, metadata in exports.items():
        inside = [entry for entry in _below(root, entries) if entry.parts != (_METADATA,)]
        yield from _gradescope(metadata, inside)
    others = [entry for entry in entries if not any(entry.parts[: len(root)] == root for root in exports)]
    repeated = _repeated_attachments(others)
    for entry in others:
        yield from _canvas(entry, repeated) or _moodle(entry) or _by_name(entry)


def _below(root: tuple[str, ...], entries: list[Entry]) -> list[Entry]:
    """What is in the folder `root`, seen from there."""
    depth = len(root)
    inside = [entry for entry in entries if entry.parts[:depth] == root and len(entry.parts) > depth]
    return [dataclasses.replace(entry, parts=entry.parts[depth:]) for entry in inside]


def _without_outer_folder(entries: list[Entry]) -> list[Entry]:
    """What is in the only folder at the top, which unpacking or zipping put around the class."""
    tops = {entry.parts[0] for entry in entries}
    if len(tops) != 1 or _MOODLE.fullmatch(entries[0].parts[0]):
        return []
    return _below(entries[0].parts[:1], entries)


def _is_download(entries: list[Entry]) -> bool:
    names = {entry.parts[0] for entry in entries}
    files = {entry.parts[0] for entry in entries if len(entry.parts) == 1 and not entry.is_folder}
    return any(map(_MOODLE.fullmatch, names)) or (bool(files) and all(map(_CANVAS.fullmatch, files)))


def _is_class(entries: list[Entry], assignment: str) -> bool:
    """Whether these are several students' hand-ins by name, rather than one student's files."""
    loose = [entry.parts[0] for entry in entries if len(entry.parts) == 1 and not entry.is_folder]
    notebooks = [name for name in loose if is_notebook(name)]
    if not loose:
        return any(len(entry.parts) > 1 and is_notebook(entry.parts[-1]) for entry in entries)
    return len(notebooks) > 1 and not any(assignment in name for name in notebooks)


def is_notebook(name: str) -> bool:
    """By its name; browsers put .txt or .json behind .ipynb."""
    return name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))


def stem(name: str) -> str:
    """A file's name without its ending, and without .ipynb before that."""
    head, dot, ending = name.rpartition(".")
    bare = head if dot and len(ending) <= 5 else name
    return bare[: -len(".ipynb")] if bare.lower().endswith(".ipynb") else bare


def _repeated_attachments(entries: list[Entry]) -> set[str]:
    """Numbers in the place of Canvas' attachment ids that are none: an attachment is one file."""
    names = {entry.parts[0] for entry in entries if len(entry.parts) == 1}
    matches = filter(None, map(_CANVAS.fullmatch, names))
    counts = Counter(match["attachment"] for match in matches if match["attachment"])
    return {attachment for attachment, count in counts.items() if count > 1}


def _canvas(entry: Entry, repeated: set[str]) -> list[Handed]:
    match = _CANVAS.fullmatch(entry.parts[0])
    if not match or entry.is_folder or len(entry.parts) > 1 or match["attachment"] in repeated:
        return []
    user = match["user"]
    number = user.removeprefix("anon_")
    owner = Owner(("canvas", user), match["name"] or "anon", "canvas", number, number, lasting=True)
    file = match["file"] or match["online"]
    version = _CANVAS_VERSION.fullmatch(stem(file))
    return [
        Handed(
            owner,
            entry,
            attempt="",
            file=file,
            newness=(match["attachment"] or "").zfill(24),  # the newer attachment has the greater number
            series=version["series"] if version else stem(file),
            version=int(version["version"]) if version else 0,
            late=bool(match["late"]),
            # Canvas finds the student by both numbers, and takes no feedback on what has no attachment.
            upload=Upload("canvas", entry.parts[0][: match.start("file")]) if match["attachment"] else None,
        )
    ]


def _moodle(entry: Entry) -> list[Handed]:
    match = _MOODLE.fullmatch(entry.parts[0])
    if not match:
        return []
    name, participant = match["name"], match["participant"]
    owner = Owner(("moodle", participant, name), name, "moodle", participant, participant)
    file = entry.parts[-1] if len(entry.parts) > 1 else match["file"] or ""
    # Moodle splits at "_" and takes the part behind the name for the participant's number. Every version
    # understands this in a file's name, and not every one in a folder's.
    prefix = f"{name.replace('_', ' ')}_{participant}_assignsubmission_{match['plugin']}_"
    return [Handed(owner, entry, "", file, entry.date, upload=Upload("moodle", prefix))]


def _by_name(entry: Entry) -> list[Handed]:
    """A class kept by hand: a folder or a file called like its student."""
    top = entry.parts[0]
    if top.startswith(".") and not is_notebook(entry.parts[-1]):
        return []  # a tool's own folder
    if len(entry.parts) > 1 or entry.is_folder:
        return [Handed(_person(top), entry, top, entry.parts[-1] * (len(entry.parts) > 1), entry.date)]
    refused = bool(entry.problem) and (".ipynb" in top or "." not in top)
    if is_notebook(top) or top.lower().endswith(_HANDED_IN) or refused:
        return [Handed(_person(stem(top)), entry, top, "", entry.date)]
    return []


def _person(name: str) -> Owner:
    return Owner(("name", unicodedata.normalize("NFC", name)), name)


def _is_metadata(entry: Entry) -> bool:
    """At an export's root only: in a student's own folder it would be the student's word."""
    *root, name = entry.parts
    in_place = not root or (len(root) == 1 and _GRADESCOPE_ROOT.fullmatch(root[0]))
    return name == _METADATA and bool(in_place)


def _gradescope(metadata: Entry, inside: Iterable[Entry]) -> Iterator[Handed]:
    """`submission_M/...` or a file, with the submitters of each in submission_metadata.yml."""
    records, problem = _records(metadata)
    found: dict[str, list[Entry]] = {}
    for entry in inside:
        found.setdefault(entry.parts[0], []).append(entry)
    for name in {**found, **records}:
        missing = Entry((name,), is_folder=True, problem=f"The download holds no '{shown(name)}'.")
        entries = found.get(name, [missing])
        if name in records or any(map(_by_name, entries)):
            yield from _of_submission(name, records.get(name), entries, problem)


def _of_submission(name: str, record: object, entries: list[Entry], problem: str) -> Iterator[Handed]:
    created = _created(record)
    submitters = _submitters(name, record)
    for owner in submitters:
        others = [shown(other.name) for other in submitters if other != owner]
        note = f"handed in together with {', '.join(others)}" if others else problem
        for entry in entries:
            file = entry.parts[-1] if len(entry.parts) > 1 else ""
            newness = created or entry.date
            yield Handed(owner, entry, name, file, newness, note=note, handed_in=created)


def _records(metadata: Entry) -> tuple[dict[str, object], str]:
    """What the metadata says of each submission, and why it says nothing.

    All values are read as text: Ruby's tags are ignored, nothing is constructed or merged.
    """
    unread = f"{_METADATA} could not be read: the folder's name stands for the student's"
    try:
        text = metadata.read()
        if len(text) > _MAX_METADATA:
            return {}, unread
        records = yaml.load(text, Loader=yaml.BaseLoader)
    except (Refused, yaml.YAMLError, ValueError, RecursionError):
        return {}, unread
    if not isinstance(records, dict):
        return {}, unread
    return {name: record for name, record in records.items() if isinstance(name, str) and name}, ""


def _field(record: object, name: str) -> str:
    value = record.get(f":{name}") if isinstance(record, dict) else None
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""  # no lone surrogates


def _submitters(name: str, record: object) -> list[Owner]:
    match = _GRADESCOPE_ENTRY.match(name)
    submission = match["id"] if match else stem(name)
    people = record.get(":submitters") if isinstance(record, dict) else None
    owners = [_submitter(person, submission) for person in people] if isinstance(people, list) else []
    return list(dict.fromkeys(filter(None, owners))) or [
        Owner(("gradescope", name), name, "gradescope", submission)
    ]


def _submitter(person: object, submission: str) -> Owner | None:
    name, email, sid = (_field(person, field) for field in ("name", "email", "sid"))
    known = sid or email or name
    if not known:
        return None
    called = name or email or sid
    return Owner(("gradescope", known), called, "gradescope", submission, sid or email, email=email)


def _created(record: object) -> str:
    match = _DATE.match(_field(record, "created_at"))
    return match[0].replace("T", " ") if match else ""
