"""A class kept by hand: folders or files called like their students, at any depth, in sections or not."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from autograder.intake.files import Entry, IntakeError, shown
from autograder.intake.handed import Claims, Handed, Owner, is_notebook, naming, stem

_LOOSE_HAND_INS = (".ipynb", ".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".py", ".html", ".pdf")
"""What looks like a hand-in among loose files; others (a class list, notes) are the instructor's own."""

_SECTION = re.compile(
    r"(?:section|sect|sec|group|grp|groupe|gruppe|übungsgruppe|übung|tutorial|tutorium|tut|lab|labor|class|klasse"
    r"|course|kurs|seminar|period|cohort|stream|team|practical|praktikum|discussion|recitation|batch)"
    r"(?![^\W\d_]).*"
    r"|(?:mon|tues?|wed|thu(?:rs)?|fri|mo|di|mi|do|fr|sa|so|(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|montag|dienstag|mittwoch|donnerstag|freitag|samstag)(?:\W*\d.*)?"
    r"|(?:spring|fall|autumn|winter|summer|semester|ws|ss|sose|wise|term)\W*\d.*",
    re.IGNORECASE | re.DOTALL,
)
"""The name of a folder that divides a class."""

_TEAM = re.compile(r"(?:group|grp|groupe|gruppe|team)(?![^\W\d_])", re.IGNORECASE)
"""What a section's name may begin with, and as well that of a few students who hand in together."""

_AGAIN = re.compile(
    r"(?:attempt|version|versuch|try|resubmission|round|week|woche|day|v)\W*\d+"
    r"|(?:late|nachgereicht|resubmi(?:ssions?|tted)|on time|in time)(?![^\W\d_]).*"
    r"|(?:first|second|third|1st|2nd|3rd|final|last|new|old|erste[rs]?|zweite[rs]?)[ _-]"
    r"(?:attempt|try|submission|version|round|versuch|abgabe)s?"
    r"|\d{4}[-_.]\d\d[-_.]\d\d(?:[T _-].*)?",
    re.IGNORECASE | re.DOTALL,
)
"""The name of a folder that holds an earlier or later attempt."""

_VOCABULARY = """
    hw homework homeworks assignment assignments assn exercise exercises exam project projects task
    tasks aufgabe aufgaben abgabe abgaben submission submissions submitted handed handins upload
    uploads download downloads student students studenten studierende all files file data documents
    drive takeout classroom export exports archive archives moodle canvas ilias sakai studip
    blackboard brightspace gradescope teams github google attempt attempts version versions versuch
    draft drafts final old new backup backups src source code notebook notebooks work working solution
    solutions lösung lösungen answer answers result results output outputs image images img figure
    figures figs tmp temp misc doc docs copy folder untitled ordner template templates starter blank
    original reference example examples sample samples handout notes readme graded ungraded for of and
    the my own class course unzipped unpacked extracted content contents late done completed complete
    corrected fixed updated resubmission musterlösung v
    """
_WORDS = frozenset(_VOCABULARY.split())
"""Words of which no person's name is made."""
_GIVEN = """
    solution solutions lösung lösungen musterlösung template templates starter blank original reference
    example examples sample samples handout
    """
_INSTRUCTORS = frozenset(_GIVEN.split())
"""Of these those that say that a folder's notebook is the instructor's own."""

_ENDS = re.compile(
    r"(?:[\s_.-]+(?:final|fin|v\d+|copy|draft|solutions?|submission|submitted|resubmission|late|done|completed?"
    r"|answers?|attempt\d*|corrected|abgabe|lösung))+$",
    re.IGNORECASE,
)
"""What people write behind an assignment's name."""
_COPY_OF = re.compile(r"^(?:copy of|kopie von|copie de|copia de)\s+", re.IGNORECASE)
_COPY_NUMBER = re.compile(r"(?:\s*\(\d+\)|\s*-\s*copy\s*\d*|\s+copy(?:\s+\d+)?)+$", re.IGNORECASE)
_SEPARATORS = " _-–—.,;:()[]+~"
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_SHORT = 3  # digits: more of them are a student's number


@dataclasses.dataclass(eq=False)
class Folder:
    """A folder of the tree: its place, its sub-folders, and the entries of its files and of itself."""

    parts: tuple[str, ...]
    folders: dict[str, Folder] = dataclasses.field(default_factory=dict)
    files: list[Entry] = dataclasses.field(default_factory=list)
    entry: Entry | None = None

    @property
    def name(self) -> str:
        return self.parts[-1] if self.parts else ""

    def entries(self) -> Iterator[Entry]:
        """All that is in it, and itself."""
        if self.entry:
            yield self.entry
        yield from self.files
        for folder in self.folders.values():
            yield from folder.entries()

    def notebooks(self) -> list[Entry]:
        return [entry for entry in self.entries() if not entry.is_folder and is_notebook(entry.parts[-1])]


def claims(
    entries: Sequence[Entry],
    assignment: str,
    is_ours: Callable[[Entry], bool],
    layout: str = "",
    *,
    rest: bool = False,
) -> Claims:
    """Everything that looks like (part of) a hand-in, with its owner.

    is_ours: whether a notebook is one of this assignment, asked only in doubt; layout: "folders", "files" or
    "sections" where the instructor says which of them name the students; rest: the entries are what a
    system's download left over. Raises IntakeError where several people may be under one name.
    """
    return _Reader(assignment, is_ours, layout, rest).read(_tree(entries))


def _tree(entries: Sequence[Entry]) -> Folder:
    root = Folder(())
    for entry in entries:
        folder = root
        parents = entry.parts if entry.is_folder else entry.parts[:-1]
        for depth, name in enumerate(parents, 1):
            folder = folder.folders.setdefault(name, Folder(entry.parts[:depth]))
        if entry.is_folder:
            folder.entry = folder.entry or entry
        else:
            folder.files.append(entry)
    return root


class _Reader:
    """Goes down the tree as far as names are those of the class, and finds the people below."""

    def __init__(self, assignment: str, is_ours: Callable[[Entry], bool], layout: str, rest: bool) -> None:
        self._rest = rest
        self._naming = naming(assignment)
        self._is_ours = is_ours
        self._layout = layout
        self._found = Claims([])
        self._places: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)

    def read(self, root: Folder) -> Claims:
        """The people below `root`."""
        self._class(root, ())
        self._check_places()
        self._check_copies()
        return self._found

    def _class(self, folder: Folder, above: tuple[str, ...], in_section: bool = False) -> None:
        """A folder whose files and folders are called like people; above: folders that hold one attempt."""
        if _AGAIN.fullmatch(folder.name):
            above = (*above, folder.name)
        shown_folders = [
            item
            for item in folder.folders.values()
            if item.notebooks() or not (item.name.startswith(".") or self._is_nobodys(item))
        ]
        classes = self._classes(shown_folders, folder, in_section)
        for item in classes:
            self._class(item, above, in_section or len(shown_folders) > 1)
        others = [item for item in shown_folders if item not in classes]
        people = [item for item in others if not self._is_instructors(item.name)]
        if not people and not self._rest and len(others) == len(shown_folders):
            people = others  # there is nobody else, so that "submission" may be somebody's
        for item in people:
            self._person_by_folder(item, above, alone=len(shown_folders) == 1)
        self._files(folder, len(shown_folders), above)

    def _is_instructors(self, name: str) -> bool:
        """Whether a folder beside those of the students holds what they were given, or the solution."""
        if self.person(name):
            return False
        words = _TOKEN.findall(name.casefold())
        return bool(self._naming.search(name) or _INSTRUCTORS.intersection(words))

    def _is_nobodys(self, folder: Folder) -> bool:
        """Whether a folder without notebooks is for images, data and such; an empty one names a person."""
        return bool(folder.files) and not self.person(folder.name)

    # Which folders hold people

    def _classes(self, folders: list[Folder], parent: Folder, in_section: bool) -> list[Folder]:
        """Those of the folders side by side that are not people but hold them."""
        alone = len(folders) == 1 and not self._named_files(parent)
        if self._layout == "files":
            return folders
        if self._layout == "folders":
            return [
                item for item in folders if alone and not self._own_notebooks(item) and self._people_in(item)
            ]
        if self._layout == "sections":
            return [] if in_section else folders
        if alone:
            return [item for item in folders if self._is_wrapper(item)]
        generic = [item for item in folders if self._is_generic(item.name)]
        sections = [item for item in generic if self._divides(item)]
        if sections:  # then one with a single student is a section too, or with none
            empty = [item for item in generic if not item.notebooks()]
            sections += [
                item for item in generic if self._names_somebody(item) and item not in sections
            ] + empty
        others = [item for item in folders if item not in generic and item.notebooks()]
        return sections + self._sections_among(others, len(self._named_files(parent)))

    def _is_wrapper(self, folder: Folder) -> bool:
        """Whether the only folder of its level is put around the class, not around one person's files.

        Files that name nobody in a folder that names nobody are several people's, for all that is known.
        """
        people = self._people_in(folder)
        nameless = not people and len(self._own_notebooks(folder)) != 1
        return len(people) > 1 or (self._is_generic(folder.name) and (self._divides(folder) or nameless))

    def _divides(self, folder: Folder) -> bool:
        """Whether a folder called like a section or a hand-in box has people in it."""
        people = self._people_in(folder)
        own = self._own_notebooks(folder)
        if self._has_title(own) or not own:
            return bool(people)
        collects = _AGAIN.fullmatch(folder.name) or _SECTION.fullmatch(folder.name)
        if collects and not _TEAM.match(folder.name) and self._names_somebody(folder):
            return True
        return len(people) > 1 and sum(map(self._is_ours, own)) > 1

    def _has_title(self, notebooks: Sequence[Entry]) -> bool:
        return any(self._naming.search(stem(entry.parts[-1])) for entry in notebooks)

    def _names_somebody(self, folder: Folder) -> bool:
        own = self._own_notebooks(folder)
        return bool(own) and all(self.person(stem(entry.parts[-1])) for entry in own)

    def _sections_among(self, folders: list[Folder], named_files: int) -> list[Folder]:
        """Folders whose names do not say what they are: sections if most have several people in them."""
        inner = {item.parts: self._people_in(item) for item in folders}
        crowded = [item for item in folders if len(inner[item.parts]) > 1]
        names = [name.casefold() for people in inner.values() for name in set(people)]
        if not crowded or 10 * len(set(names)) < 7 * len(names):  # the same parts again in every folder
            return []
        deep = all(inner[item.parts] and not self._own_notebooks(item) for item in folders)
        if 2 * len(crowded) <= len(folders) + named_files:
            if deep and not named_files:
                self._refuse(crowded[0], inner[crowded[0].parts])
            return []
        if deep or any(self._has_title(self._own_notebooks(item)) for item in crowded):
            return folders
        self._check_files(crowded)
        return []

    def _people_in(self, folder: Folder) -> list[str]:
        """Names in a folder that may be those of people: of folders with notebooks, or of files."""
        folders = [item for item in folder.folders.values() if item.notebooks()]
        named_files = self._named_files(folder)
        if len(folders) == 1 and not self._own_notebooks(folder):
            deeper = self._people_in(folders[0])
            return (
                deeper if len(deeper) > 1 else [item.name for item in folders if not self._is_part(item.name)]
            )
        people = [item.name for item in folders if not self._is_part(item.name)]
        return people + named_files if people or not folders else named_files

    def _own_notebooks(self, folder: Folder) -> list[Entry]:
        return [entry for entry in folder.files if is_notebook(entry.parts[-1])]

    def _named_files(self, folder: Folder) -> list[str]:
        """The people whom a folder's notebooks name; nobody where the assignment's own is among others."""
        stems = [stem(entry.parts[-1]) for entry in self._own_notebooks(folder)]
        titled = [text for text in stems if self._naming.search(text)]
        if titled:
            return list(dict.fromkeys(filter(None, map(self.person, titled))))
        people = [text for text in dict.fromkeys(stems) if not self._is_part(text)]
        return people if len(people) > 1 or not folder.parts else []

    def _check_files(self, folders: list[Folder]) -> None:
        """Whether files whose names do not hold the assignment's are one person's or several people's."""
        for folder in folders:
            ours = [entry for entry in self._own_notebooks(folder) if self._is_ours(entry)]
            if len(ours) > 1:
                self._refuse(folder, [stem(entry.parts[-1]) for entry in ours])

    def _refuse(self, folder: Folder, inside: Sequence[str]) -> None:
        raise IntakeError(
            f"'{shown(folder.name)}' holds the assignment more than once, as '{shown(inside[0])}' and "
            f"'{shown(inside[1])}': are these people, or is '{shown(folder.name)}' one person? Say --layout "
            "sections (or files) if they are people, --layout folders if not, or name the students with "
            "--people FILE."
        )

    # Who a folder or a file is

    def person(self, name: str) -> str:
        """The person in a name, without the assignment's name and marks of copies; "" for nobody."""
        if not self._naming.search(name):
            tokens = _TOKEN.findall(name.casefold())
            return "" if tokens and all(token in _WORDS for token in tokens) else name.strip()
        rest = _COPY_OF.sub("", _COPY_NUMBER.sub("", name).strip())
        rest = self._naming.sub("\0", rest, count=1)
        before, _, after = (side.strip(_SEPARATORS) for side in rest.partition("\0"))
        after = _ENDS.sub("", f" {after}")
        sides = (_COPY_NUMBER.sub("", _COPY_OF.sub("", side)).strip(_SEPARATORS) for side in (before, after))
        return " ".join(side for side in sides if side and not self._is_part(side))

    def _is_generic(self, name: str) -> bool:
        """Whether a folder's name is that of a part of the course."""
        return bool(_SECTION.fullmatch(name)) or self._is_part(name) or (len(name) == 1 and name.isascii())

    def _is_part(self, name: str) -> bool:
        """Whether a name has no word of its own: only the assignment's, numbers and such as "final"."""
        if _AGAIN.fullmatch(name):
            return True
        bare = self._naming.sub(" ", name)
        tokens = _TOKEN.findall(bare.casefold())
        known = [
            token in _WORDS or (token.isdecimal() and len(token) <= _SHORT) or _is_year(token)
            for token in tokens
        ]
        rest = [token for token, is_known in zip(tokens, known, strict=True) if not is_known]
        if not tokens:
            return bare != name or name.isascii()
        return any(known) and all(len(token) == 1 for token in rest)

    def _owner(self, name: str) -> Owner:
        name = unicodedata.normalize("NFC", name)
        return Owner(("name", name), name)

    # What is theirs

    def _person_by_folder(self, folder: Folder, above: tuple[str, ...], alone: bool) -> None:
        owner = self._owner(self.person(folder.name) or folder.name)
        self._places[owner.key].add(folder.parts)
        self._check_person(folder, alone)
        for entry in folder.entries():
            inside = entry.parts[len(folder.parts) :]
            attempt, number = self._attempt(above, inside)
            file = inside[-1] if inside else ""
            label = attempt or folder.name
            self._found.handed.append(Handed(owner, entry, label, file, f"{number} {entry.date}"))

    def _attempt(self, above: tuple[str, ...], inside: tuple[str, ...]) -> tuple[str, str]:
        """Label and order of the attempt that folders around or within a person's say it is."""
        names = [name for name in (*above, *inside[:-1]) if _AGAIN.fullmatch(name)]
        numbers = [digits for name in names for digits in re.findall(r"\d+", name) or ["1"]]
        order = "".join(digits[:8].zfill(8) for digits in numbers)
        return " ".join(names), order.ljust(48, "0")[:48]

    def _check_person(self, folder: Folder, alone: bool) -> None:
        """Say so where sub-folders or files that may be people's hold the assignment more than once."""
        inner = {item.name: item.notebooks()[:5] for item in folder.folders.values()}
        inner = {
            name: notebooks for name, notebooks in inner.items() if notebooks and not self._is_part(name)
        }
        if len(self._named_files(folder)) > 1 or alone:
            inner |= {entry.parts[-1]: [entry] for entry in self._own_notebooks(folder)[:10]}
        if self._layout or len(inner) < 2:
            return
        ours = [name for name, notebooks in inner.items() if any(map(self._is_ours, notebooks))]
        if len(ours) > 1:
            self._found.notes.append(
                f"'{shown(folder.name)}' was taken for one student, with the assignment in "
                f"'{shown(ours[0])}' and '{shown(ours[1])}'; if these are students, give --people FILE"
            )

    def _files(self, folder: Folder, folders: int, above: tuple[str, ...]) -> None:
        """Files called like people; folders: how many folders are beside them."""
        notebooks = {
            id(entry) for entry in folder.files if is_notebook(entry.parts[-1]) or _is_refused(entry)
        }
        people = {id(entry): self.person(stem(entry.parts[-1])) for entry in folder.files}
        nameless = [entry for entry in folder.files if id(entry) in notebooks and not people[id(entry)]]
        if len(nameless) > 1 and len(nameless) > len(notebooks) - len(nameless) + folders:
            self._refuse_nameless(nameless)
        if len(notebooks) == len(nameless) == 1 and not folders and not self._rest:
            people[id(nameless[0])] = stem(nameless[0].parts[-1])  # the only one there is
        for entry in folder.files:
            loose = entry.parts[-1].lower().endswith(_LOOSE_HAND_INS) and (notebooks or not folders)
            if people[id(entry)] and (id(entry) in notebooks or loose):
                owner = self._owner(people[id(entry)])
                attempt, number = self._attempt(above, ())
                label = attempt or entry.parts[-1]
                self._places[owner.key].add(entry.parts)
                self._found.handed.append(Handed(owner, entry, label, "", f"{number} {entry.date}"))

    def _refuse_nameless(self, notebooks: Sequence[Entry]) -> None:
        examples = " and ".join(f"'{shown(entry.parts[-1])}'" for entry in notebooks[:2])
        raise IntakeError(
            f"{len(notebooks)} notebooks do not say whose they are, such as {examples}. Put each into a "
            "folder called like its student, name the students with --people FILE, or say --layout folders "
            "if the folder is one person's."
        )

    def _check_places(self) -> None:
        """Whether one name in two sections is one person; in folders of attempts it is."""
        for key, places in self._places.items():
            parents = {place[:-1] for place in places}
            sections = {parent[-1] for parent in parents if parent and not _AGAIN.fullmatch(parent[-1])}
            if len(parents) > 1 and len(sections) > 1:
                one, two, *_ = sorted(sections)
                raise IntakeError(
                    f"'{shown(key[-1])}' is in '{shown(one)}' and in '{shown(two)}': one student or two? "
                    "Name the students with --people FILE."
                )

    def _check_copies(self) -> None:
        """Say so where two names may be one person's, as a browser names a second download."""
        names = {key[-1] for key in self._places}
        for name in sorted(names):
            bare = _COPY_NUMBER.sub("", name)
            if bare != name and bare in names:
                self._found.notes.append(f"perhaps one student: '{shown(bare)}' and '{shown(name)}'")


def _is_year(token: str) -> bool:
    return bool(re.fullmatch(r"(?:19|20)\d\d", token))


def _is_refused(entry: Entry) -> bool:
    """What was handed in but must not be read, such as a link, whose name may not end in .ipynb."""
    name = entry.parts[-1]
    return bool(entry.problem) and (".ipynb" in name or "." not in name)
