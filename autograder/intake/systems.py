"""Downloads of systems that put the student's name into the path of each file."""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from autograder.intake.files import Entry, Refused
from autograder.intake.handed import Claims, Handed, Owner, is_notebook, naming, stem
from autograder.intake.people import Upload

_MOODLE = re.compile(
    r"""
    (?P<name>.*)_                         # full name, a group's name, or "Participant" in blind marking
    (?P<participant>\d+)_                 # of this assignment, not of the user
    assignsubmission_(?P<plugin>[a-z]+)
    (?:_(?P<file>.*))?                    # the file itself in a flat download; older folders end with "_"
    """,
    re.VERBOSE | re.DOTALL,
)
"""Written by Moodle's assign module: downloader.php, load_submissionplugin_filelist, as folders or flat."""

_BLACKBOARD = re.compile(
    r"(?P<start>.+)_attempt_(?P<stamp>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|(?P<about>\.txt))", re.DOTALL
)
"""ASSIGNMENT_LOGIN_attempt_STAMP_FILE, with a .txt about each attempt; both may hold "_" (nbgrader's
zip_collect and kwurst/bb-file-cleanup read the same names)."""
_ABOUT = re.compile(r"\s*[^:\n]{1,30}: (?P<name>[^\n]*?) \((?P<login>[^()\n]+)\)\s*$", re.MULTILINE)
"""The first line of the .txt, such as "Name: Ada Ex (ada01)"; what the student wrote stands further down."""

_BRIGHTSPACE = re.compile(
    r"""
    (?P<user>\d+)-\d+\ -\ (?P<name>.+?)\ ?-\               # some leave out the blank behind the name
    (?P<date>(?:(?!\ -\ ).)*?\b\d{4}\b(?:(?!\ -\ ).)*?)
    (?:\ -\ (?P<file>.+))?                # the file itself where there are no folders
    """,
    re.VERBOSE | re.DOTALL,
)
"""Written by Brightspace's dropbox, with an index.html beside the folders or files."""
_BRIGHTSPACE_DATES = ("%b %d, %Y %I%M %p", "%B %d, %Y %I%M %p", "%d %B %Y %I%M %p", "%d %B, %Y %I%M %p")
_BRIGHTSPACE_DATES += (
    "%d %b %Y %I%M %p",
    "%b %d, %Y %H%M",
    "%d %B %Y %H%M",
    "%d %B, %Y %H%M",
    "%d %b %Y %H%M",
)

_SAKAI_PERSON = re.compile(r"(?P<name>[^()]*,[^()]*)\((?P<login>[^()]+)\)(?P<rest>_.*)?", re.DOTALL)
_SAKAI_ATTACHMENTS = "Submission attachment(s)"
_SAKAI_ANONYMOUS = re.compile(r"(?P<id>\S+) Anonymous.*")
_SAKAI_OWN = ("timestamp.txt", "comments.txt", "feedbackText.html")
_SAKAI_FEEDBACK = "Feedback Attachment(s)"
"""Written by Sakai's AssignmentServiceImpl.zipSubmissions: TITLE/LAST, FIRST(LOGIN)/Submission
attachment(s)/FILE with a timestamp.txt beside, or all in one folder with "_" in place of "/"."""

_ILIAS = re.compile(r"(?P<name>.+)_(?P<login>[^_]+)_(?P<id>\d+)", re.DOTALL)
_ILIAS_FOLDER = re.compile(r"abgaben|submissions|(?:team|multi_feedback)[ _].*", re.IGNORECASE | re.DOTALL)
_ILIAS_LATE = re.compile(r"(?:Late Submission|Versp(?:ä|ae|a)tete Abgabe)[ _]-[ _]", re.IGNORECASE)
"""Written by ILIAS' Exercise module: getDirectoryNameFromUserData, downloadAllAssignmentFiles, and
sendMultiFeedbackStructureFile: LASTNAME_FIRSTNAME_LOGIN_ID below "Submissions", perhaps in a "Team N"."""

_STUDIP_LIST = "archive_filelist.csv"
"""Written by Stud.IP's FileArchiveManager.createArchive: Name, Größe, Vorname, Nachname, Downloads, Datum,
Pfad of each file in the archive, in this order in every language."""

_TEAMS_VERSION = re.compile(
    r"(?:version|versión|versione|versão|versie|wersja|версия|バージョン|版本|버전)\s*(\d+)", re.IGNORECASE
)
_TEAMS_SUBMITTED = re.compile(
    r"submitted files|eingereichte dateien|fichiers (?:envoyés|remis)|archivos enviados|file inviati"
    r"|ingeleverde bestanden|提出済みのファイル|已提交的文件",
    re.IGNORECASE,
)
_TEAMS_DRAFTS = re.compile(
    r"working files|arbeitsdateien|fichiers de travail|archivos de trabajo|file di lavoro|werkbestanden"
    r"|作業ファイル|作業中のファイル|工作文件",
    re.IGNORECASE,
)
"""The library "Student Work" of a class in Microsoft Teams: Submitted files/NAME/ASSIGNMENT/Version N/FILE,
and what is not handed in yet as Working files/NAME/ASSIGNMENT/FILE. The words are those of its language."""

_COPY = re.compile(r"(?:copy of|kopie von|copie de|copia de)\s+|\s*\(\d+\)|\s*-\s*copy\s*\d*", re.IGNORECASE)


def moodle(entries: Sequence[Entry], assignment: str) -> Claims:
    """Known by the participant's number: names lose characters on the way, and groups put theirs in front."""
    return Claims([handed for entry in entries if (handed := _moodle(entry))])


def _moodle(entry: Entry) -> Handed | None:
    match, depth = _first(_MOODLE.fullmatch, entry.parts)
    if not match:
        return None
    name, participant = match["name"], match["participant"]
    owner = Owner(("moodle", participant), name, "moodle", participant, participant)
    file = entry.parts[-1] if len(entry.parts) > depth + 1 else match["file"] or ""
    # Moodle splits at "_" and takes the part behind the name for the participant's number. Every version
    # understands this in a file's name, and not every one in a folder's.
    prefix = f"{name.replace('_', ' ')}_{participant}_assignsubmission_{match['plugin']}_"
    return Handed(owner, entry, "", file, entry.date, upload=Upload("moodle", prefix))


def _first(
    match: Callable[[str], re.Match[str] | None], parts: Iterable[str]
) -> tuple[re.Match[str] | None, int]:
    """The outermost name that matches, and its depth: what is further in, a student may have named."""
    for depth, part in enumerate(parts):
        if found := match(part):
            return found, depth
    return None, -1


def blackboard(entries: Sequence[Entry], assignment: str) -> Claims:
    """Known by the login, which the .txt beside an attempt tells from the assignment's title."""
    found = {entry: _BLACKBOARD.fullmatch(entry.parts[-1]) for entry in entries if not entry.is_folder}
    about: dict[str, tuple[str, str]] = {}
    for entry, match in found.items():
        if match and match["about"] and (named := _about(entry, match["start"])):
            about[match["start"]] = named
    titles = {start.removesuffix(login) for start, (_, login) in about.items()}
    claimed = Claims([])
    for entry, match in found.items():
        if match:
            name, login = about.get(match["start"]) or ("", _login(match["start"], titles))
            date, _, time = match["stamp"].rpartition("-")[0].rpartition("-")[0].rpartition("-")
            stamp = f"{date} {match['stamp'][len(date) + 1 :].replace('-', ':')}"
            owner = Owner(("blackboard", match["start"]), login, "blackboard", login=login, full_name=name)
            file = match["file"] or entry.parts[-1]
            claimed.handed.append(Handed(owner, entry, match["stamp"], file, stamp, handed_in=stamp))
    return claimed


def _about(entry: Entry, start: str) -> tuple[str, str] | None:
    """The name and login in the first line of the .txt about an attempt."""
    try:
        line = entry.read()[:2000].decode("utf-8", errors="replace").lstrip("\ufeff").partition("\n")[0]
    except Refused:
        return None
    match = _ABOUT.match(line)
    return (match["name"], match["login"]) if match and start.endswith(f"_{match['login']}") else None


def _login(start: str, titles: Iterable[str]) -> str:
    """What follows the assignment's title, if that is known, else what follows the last "_"."""
    known = max((title for title in titles if start.startswith(title)), key=len, default="")
    return start[len(known) :] if known else start.rpartition("_")[2]


def brightspace(entries: Sequence[Entry], assignment: str) -> Claims:
    """Known by the first of the two numbers; the second is the same for the whole class."""
    claimed = Claims([])
    for entry in entries:
        match, depth = _first(_BRIGHTSPACE.fullmatch, entry.parts)
        if not match:
            if entry.parts[-1].lower() == "index.html":
                claimed.ignored.append(entry)
            continue
        when = _brightspace_date(match["date"])
        user = match["user"]
        owner = Owner(("brightspace", user), match["name"], "brightspace", user, user)
        file = entry.parts[-1] if len(entry.parts) > depth + 1 else match["file"] or ""
        attempt = match["date"].strip()
        claimed.handed.append(Handed(owner, entry, attempt, file, when or entry.date, handed_in=when))
    return claimed


def _brightspace_date(text: str) -> str:
    spaced = " ".join(re.sub(r"(?<=\b)(\d{3})(?=(?: ?[AP]M)?$)", r"0\1", text.upper()).split())
    for pattern in _BRIGHTSPACE_DATES:
        try:
            return f"{datetime.datetime.strptime(spaced, pattern):%Y-%m-%d %H:%M:%S}"
        except ValueError:
            continue
    return ""


def sakai(entries: Sequence[Entry], assignment: str) -> Claims:
    """Known by the login in brackets behind the name."""
    times = {entry.parts[:-1]: entry for entry in entries if entry.parts[-1] == "timestamp.txt"}
    claimed = Claims([])
    for entry in entries:
        match, depth = _first(_SAKAI_PERSON.fullmatch, entry.parts)
        rest = (match["rest"] or "").lstrip("_") if match else ""
        inside = entry.parts[depth + 1 :]
        own = match and (inside[:1] == (_SAKAI_FEEDBACK,) or rest.startswith(_SAKAI_FEEDBACK) or
                         (len(inside) == 1 and inside[0] in _SAKAI_OWN))  # fmt: skip
        if own or entry.parts[-1].lower() in ("grades.csv", "grades.xls", "grades.xlsx"):
            claimed.ignored.append(entry)
        elif match:
            folder = entry.parts[: depth + 1]
            when = _sakai_time(times[folder]) if folder in times else ""
            name, login = match["name"].strip(), match["login"]
            owner = Owner(("sakai", login), name, "sakai", tag=login, login=login)
            file = inside[-1] if inside else rest.removeprefix(_SAKAI_ATTACHMENTS).lstrip("_")
            claimed.handed.append(Handed(owner, entry, "", file, when or entry.date, handed_in=when))
        elif _SAKAI_ATTACHMENTS in entry.parts[1:]:
            person = entry.parts[entry.parts.index(_SAKAI_ATTACHMENTS, 1) - 1]
            anonymous = _SAKAI_ANONYMOUS.fullmatch(person)
            owner = Owner(("sakai", person), anonymous["id"] if anonymous else person, "sakai")
            claimed.handed.append(Handed(owner, entry, "", entry.parts[-1], entry.date))
    return claimed


def _sakai_time(entry: Entry) -> str:
    """A timestamp such as 2024-05-01T11:59:00Z or 20240501115900000."""
    try:
        digits = re.sub(rb"\D", b"", entry.read()[:100]).decode()
    except Refused:
        return ""
    try:
        return f"{datetime.datetime.strptime(digits[:14], '%Y%m%d%H%M%S'):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return ""


def ilias(entries: Sequence[Entry], assignment: str) -> Claims:
    """Known by the user's number at the end of the folder's name."""
    return Claims([handed for entry in entries if (handed := _ilias(entry))])


def _ilias(entry: Entry) -> Handed | None:
    for depth, part in enumerate(entry.parts):
        match = _ILIAS.fullmatch(part)
        is_folder = entry.is_folder or depth < len(entry.parts) - 1
        if match and is_folder and any(map(_ILIAS_FOLDER.fullmatch, entry.parts[max(depth - 2, 0) : depth])):
            key, number = ("ilias", match["id"]), match["id"]
            owner = Owner(
                key, match["name"], "ilias", number, f"{match['login']}_{number}", login=match["login"]
            )
            late = bool(_ILIAS_LATE.match(entry.parts[-1]))
            file = _ILIAS_LATE.sub("", entry.parts[-1]) if depth < len(entry.parts) - 1 else ""
            return Handed(owner, entry, "", file, entry.date, late=late)
    return None


def studip(entries: Sequence[Entry], assignment: str) -> Claims:
    """Known by the author's name, in a list that the archive holds."""
    listing = min((item for item in entries if item.parts[-1] == _STUDIP_LIST), key=_depth, default=None)
    if listing is None:
        return Claims([])
    root = listing.parts[:-1]
    authors = _studip_authors(listing)
    claimed = Claims([], ignored=[listing])
    for entry in entries:
        inside = "/".join(entry.parts[len(root) :])
        if entry.parts[: len(root)] == root and inside in authors and not entry.is_folder:
            name, when = authors[inside]
            owner = Owner(("studip", name), name, "studip")
            claimed.handed.append(Handed(owner, entry, "", entry.parts[-1], when or entry.date))
    return claimed


def _depth(entry: Entry) -> int:
    return len(entry.parts)


def _studip_authors(listing: Entry) -> dict[str, tuple[str, str]]:
    """Author and date of each path."""
    try:
        text = listing.read().decode("utf-8-sig", errors="replace")
    except Refused:
        return {}
    separator = ";" if text.count(";") > text.count(",") else ","
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if len(row) == 7][1:]
    except csv.Error:
        return {}
    found = {}
    for _, _, first, last, _, date, path in rows:
        name = f"{first.strip()} {last.strip()}".strip()
        if name:
            found[path.strip("/")] = (name, _studip_date(date))
    return found


def _studip_date(text: str) -> str:
    try:
        return f"{datetime.datetime.strptime(text.strip(), '%d.%m.%Y %H:%M'):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return ""


def teams(entries: Sequence[Entry], assignment: str) -> Claims:
    """Known by the name of the folder above that of the assignment. Drafts count where nothing else does."""
    submitted = [handed for entry in entries if (handed := _submitted_to_teams(entry))]
    if not submitted:
        return Claims([])
    people = {handed.owner.key for handed in submitted}
    drafts = [handed for entry in entries if (handed := _draft_in_teams(entry))]
    return Claims(
        submitted + [draft for draft in drafts if draft.owner.key not in people],
        ignored=[draft.entry for draft in drafts if draft.owner.key in people],
    )


def _submitted_to_teams(entry: Entry) -> Handed | None:
    match, depth = _first(_TEAMS_SUBMITTED.fullmatch, entry.parts)
    version, place = _first(_TEAMS_VERSION.fullmatch, entry.parts)
    if match and len(entry.parts) > depth + 2:
        name = entry.parts[depth + 1]
    elif version and place >= 2 and not match:
        name = entry.parts[place - 2]
    else:
        return None
    number = int(version[1]) if version else 0
    owner = Owner(("teams", name), name, "teams")
    label = version[0] if version else ""
    return Handed(owner, entry, label, entry.parts[-1], f"{number:06} {entry.date}")


def _draft_in_teams(entry: Entry) -> Handed | None:
    match, depth = _first(_TEAMS_DRAFTS.fullmatch, entry.parts)
    if not match or len(entry.parts) < depth + 3:
        return None
    owner = Owner(("teams", entry.parts[depth + 1]), entry.parts[depth + 1], "teams")
    note = "only a working file, which was not handed in"
    return Handed(owner, entry, match[0], entry.parts[-1], entry.date, note=note)


def github(entries: Sequence[Entry], assignment: str) -> Claims:
    """GitHub Classroom's ASSIGNMENT-submissions/ASSIGNMENT-LOGIN/..., as `gh classroom clone` makes it."""
    claimed = Claims([])
    for entry in entries:
        for depth in range(1, len(entry.parts)):
            slug, _, word = entry.parts[depth - 1].rpartition("-")
            repository = entry.parts[depth]
            is_folder = entry.is_folder or depth < len(entry.parts) - 1
            if word == "submissions" and slug and repository.startswith(f"{slug}-") and is_folder:
                login = repository.removeprefix(f"{slug}-")
                file = entry.parts[-1] if depth < len(entry.parts) - 1 else ""
                owner = Owner(("github", login), login, "github", login=login)
                claimed.handed.append(Handed(owner, entry, "", file, entry.date))
                break
    return claimed


def google(entries: Sequence[Entry], assignment: str) -> Claims:
    """Google Classroom's copies for each student, `NAME - TITLE.ipynb` in one folder of Drive."""
    named = {}
    for entry in entries:
        name, dash, title = stem(entry.parts[-1]).partition(" - ")
        if dash and name.strip() and is_notebook(entry.parts[-1]) and not entry.is_folder:
            named[entry] = (name.strip(), _COPY.sub("", title).strip().casefold())
    titles = Counter(title for _, title in named.values())
    ours = naming(assignment)
    claimed = Claims([])
    for entry, (name, title) in named.items():
        if titles[title] > 1 or ours.search(title):
            owner = Owner(("google", name), name, "google")
            file = entry.parts[-1].partition(" - ")[2]
            claimed.handed.append(Handed(owner, entry, entry.parts[-1], file, entry.date))
    return claimed
