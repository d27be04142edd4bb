"""Canvas' download of all submissions: one folder of files whose names hold the user's number."""

from __future__ import annotations

import dataclasses
import math
import re
import statistics
from collections import Counter
from collections.abc import Sequence

from autograder.intake.files import Entry, shown
from autograder.intake.handed import Claims, Handed, Owner, naming, stem
from autograder.intake.people import Upload

_ANONYMOUS = re.compile(
    r"(?:LATE_)?anon_(?P<user>[^\W_]+)_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<online>(?:text|link)\.html))",
    re.DOTALL,
)
_ONLINE = ("text.html", "link.html")  # a text or an address typed into Canvas
_VERSION = re.compile(r"(?P<series>.+)-(?P<version>\d{1,2})", re.DOTALL)
"""The stem of a file that was handed in again: Attachment.make_unique_filename adds -1, -2, ..."""
_CERTAIN = 0.3  # by so many orders of magnitude the best reading has to be ahead of the second


@dataclasses.dataclass(frozen=True)
class _Reading:
    """One way to read a file's name, `NAME[_LATE]_USER_ATTACHMENT_FILE`.

    It is written by Canvas' lib/content_zipper.rb: get_filename, add_upload_submission and
    add_text_or_url. The name is the sortable one, in lower case and without spaces. It never has digits
    alone between two "_", but may end in them: team_7_103_2003_x.ipynb is user 103 or user 7.
    """

    name: str
    user: str
    attachment: str
    file: str
    late: bool

    @property
    def series(self) -> str:
        match = _VERSION.fullmatch(stem(self.file))
        return match["series"] if match else stem(self.file)

    @property
    def version(self) -> int:
        match = _VERSION.fullmatch(stem(self.file))
        return int(match["version"]) if match else 0


def claims(entries: Sequence[Entry], assignment: str) -> Claims:
    """The files that Canvas named; where numbers in a name are ambiguous, the whole class decides."""
    possible = {entry: _readings(entry.parts[-1]) for entry in entries if not entry.is_folder}
    sure = [readings[0] for readings in possible.values() if len(readings) == 1]
    attachments = Counter(reading.attachment for reading in sure if reading.attachment)
    typical = _Typical(sure, assignment)
    ranked = {}
    for entry, readings in possible.items():
        taken = 1 if len(readings) == 1 else 0  # an attachment is one file
        usable = [reading for reading in readings if attachments[reading.attachment] <= taken]
        if usable:
            ranked[entry] = sorted(usable, key=typical.distance)
    return _chosen(ranked, typical)


def _chosen(ranked: dict[Entry, list[_Reading]], typical: _Typical) -> Claims:
    attachments = Counter(readings[0].attachment for readings in ranked.values() if readings[0].attachment)
    claimed = Claims([])
    for entry, (best, *others) in ranked.items():
        if attachments[best.attachment] > 1:
            continue
        doubtful = [other for other in others if typical.distance(other) - typical.distance(best) < _CERTAIN]
        claimed.handed.append(_handed(entry, best, tuple(other.user for other in doubtful)))
        claimed.notes.extend(
            f"'{shown(entry.parts[-1])}' was taken for user {best.user}, but may be user {other.user}'s."
            for other in doubtful
        )
    return claimed


def _readings(name: str) -> list[_Reading]:
    if match := _ANONYMOUS.fullmatch(name):
        late = name.startswith("LATE_")
        file = match["file"] or match["online"]
        return [_Reading("anon", f"anon_{match['user']}", match["attachment"] or "", file, late)]
    fields = name.split("_")
    found = []
    for place, user in enumerate(fields[:-1]):
        before = fields[:place]
        late = before[-1:] == ["LATE"]
        before = before[: len(before) - late]
        if not _is_number(user) or any(map(_is_number, before[1:-1])):
            continue
        attachment, file = fields[place + 1], "_".join(fields[place + 2 :])
        if file and _is_number(attachment):
            found.append(_Reading("_".join(before) or "anon", user, attachment, file, late))
        elif not file and attachment in _ONLINE:
            found.append(_Reading("_".join(before) or "anon", user, "", attachment, late))
        if late and found:
            return found[-1:]
    return found


def _is_number(field: str) -> bool:
    return field.isascii() and field.isdecimal()


class _Typical:
    """What users, attachments and files of a class look like, by the names that can be read in one way."""

    def __init__(self, sure: Sequence[_Reading], assignment: str) -> None:
        self._users = [_magnitude(reading.user) for reading in sure if _is_number(reading.user)]
        self._attachments = [_magnitude(reading.attachment) for reading in sure if reading.attachment]
        self._known = {(reading.name, reading.user) for reading in sure}
        self._files = {reading.series for reading in sure}
        self._naming = naming(assignment)

    def distance(self, reading: _Reading) -> float:
        """How far a reading is from the rest of the class, in orders of magnitude."""
        if (reading.name, reading.user) in self._known:
            return 0.0
        named = reading.series in self._files or self._naming.match(reading.series)
        distance = 0.0 if named else 0.5
        if self._users and _is_number(reading.user):
            distance += abs(_magnitude(reading.user) - statistics.median(self._users))
        if self._attachments and reading.attachment:
            distance += abs(_magnitude(reading.attachment) - statistics.median(self._attachments))
        return distance


def _magnitude(number: str) -> float:
    return math.log10(int(number[:300]) + 1)


def _handed(entry: Entry, reading: _Reading, maybe: tuple[str, ...]) -> Handed:
    number = reading.user.removeprefix("anon_")
    owner = Owner(("canvas", reading.user), reading.name, "canvas", number, number, maybe=maybe)
    name = entry.parts[-1]
    return Handed(
        owner,
        entry,
        attempt="",
        file=reading.file,
        newness=reading.attachment.zfill(24),  # the newer attachment has the greater number
        series=reading.series,
        version=reading.version,
        late=reading.late,
        # Canvas finds the student by both numbers, and takes no feedback on what has no attachment.
        upload=Upload("canvas", name[: len(name) - len(reading.file)]) if reading.attachment else None,
    )
