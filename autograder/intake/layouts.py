"""Whose file is this? The layout is decided once, from the whole tree, and then checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from autograder.intake import by_name, canvas, gradescope, systems
from autograder.intake.files import Entry, IntakeError, shown
from autograder.intake.handed import Claims, Handed, is_notebook, naming
from autograder.intake.mapping import PeopleFile

_SYSTEMS: dict[str, Callable[[Sequence[Entry], str], Claims]] = {
    "gradescope": gradescope.claims,
    "studip": systems.studip,
    "moodle": systems.moodle,
    "blackboard": systems.blackboard,
    "brightspace": systems.brightspace,
    "sakai": systems.sakai,
    "ilias": systems.ilias,
    "teams": systems.teams,
    "github": systems.github,
    "canvas": canvas.claims,
    "google": systems.google,
}
"""From the names that nobody writes by chance to those that somebody may."""

_BY_FILE_NAME = ("canvas", "blackboard", "google")
"""Layouts that a student could imitate by the names of files in a folder of their own."""

_LISTED = 5  # names are enough in a note

LAYOUTS = ("folders", "files", "sections", *sorted(_SYSTEMS))


def assigned(
    entries: Sequence[Entry],
    assignment: str,
    is_ours: Callable[[Entry], bool] = lambda entry: True,
    *,
    layout: str = "",
    mapping: PeopleFile | None = None,
) -> Claims:
    """Every entry that looks like (part of) a hand-in, with its owner; group work once per member.

    is_ours: whether a notebook is one of this assignment, asked only in doubt; layout: one of LAYOUTS,
    where the instructor says it; mapping: whose files they are, where the instructor says that. Raises
    IntakeError where several people may be under one name, or one under several.
    """
    if layout and layout not in LAYOUTS:
        raise IntakeError(f"There is no layout '{shown(layout)}'. Choose one of {', '.join(LAYOUTS)}.")
    if mapping:
        claimed = mapping.claims(entries)
    elif layout in _SYSTEMS:
        claimed = _SYSTEMS[layout](entries, assignment)
    else:
        claimed = _decided(entries, assignment, is_ours, layout)
    _check_numbers(claimed.handed)
    claimed.notes.extend(_nobodys(entries, claimed))
    return claimed


def _decided(
    entries: Sequence[Entry], assignment: str, is_ours: Callable[[Entry], bool], layout: str
) -> Claims:
    """By the system that most hand-ins come from, and the rest, or all, by the names of folders and files."""
    claimed, system = (Claims([]), "") if layout else _system(entries, assignment)
    if system == "canvas":
        _check_users(claimed.handed, assignment)
    taken = _taken(claimed)
    rest = [entry for entry in entries if id(entry) not in taken]
    if system and not any(map(_is_hand_in, rest)):
        return claimed
    named = by_name.claims(rest, assignment, is_ours, layout, rest=bool(system))
    strangers = list(dict.fromkeys(item.owner.name for item in named.handed if _is_hand_in(item.entry)))
    if system and strangers:
        claimed.notes.append(
            f"not named as {system.title()} does it, so known by the names of their files or folders: "
            f"{_listed(strangers)}"
        )
    return Claims(claimed.handed + named.handed, claimed.ignored + named.ignored, claimed.notes + named.notes)


def _taken(claimed: Claims) -> set[int]:
    return {id(handed.entry) for handed in claimed.handed} | {id(entry) for entry in claimed.ignored}


def _system(entries: Sequence[Entry], assignment: str) -> tuple[Claims, str]:
    """The system whose names most of the hand-ins have."""
    hand_ins = {id(entry) for entry in entries if _is_hand_in(entry)}
    hand_ins = hand_ins or {id(entry) for entry in entries if not entry.is_folder}
    best, found, name = 0, Claims([]), ""
    for system, claims in _SYSTEMS.items():
        claimed = claims(entries, assignment)
        if system in _BY_FILE_NAME:
            claimed = _side_by_side(claimed)
        count = len({id(handed.entry) for handed in claimed.handed} & hand_ins)
        if count > best:
            best, found, name = count, claimed, system
    return (found, name) if 2 * best >= len(hand_ins) else (Claims([]), "")


def _is_hand_in(entry: Entry) -> bool:
    return not entry.is_folder and is_notebook(entry.parts[-1])


def _side_by_side(claimed: Claims) -> Claims:
    """Without files that are alone in their folders, whose names say less than the folders'."""
    owners = defaultdict(set)
    for handed in claimed.handed:
        owners[handed.entry.parts[:-1]].add(handed.owner.key)
    kept = [item for item in claimed.handed if len(owners) == 1 or len(owners[item.entry.parts[:-1]]) > 1]
    return Claims(kept, claimed.ignored, claimed.notes)


def _check_numbers(handed: Iterable[Handed]) -> None:
    """Whether one number has two names, which may be two people. Moodle puts a group before the name."""
    names: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for item in handed:
        if item.owner.number and item.owner.lms != "gradescope":
            names[item.owner.key].setdefault(item.owner.name)
    for key, (shortest, *others) in ((key, sorted(found, key=len)) for key, found in names.items()):
        other = next((name for name in others if not name.endswith(f"-{shortest}")), None)
        if other is not None:
            raise IntakeError(
                f"In {key[0]} the number {key[1]} stands behind two names, '{shown(shortest)}' and "
                f"'{shown(other)}': one student or two? Give the hand-ins of one assignment only, or name "
                "the students with --people FILE."
            )


def _check_users(handed: Sequence[Handed], assignment: str) -> None:
    """Whether the number where Canvas writes the user is none, because all files share it."""
    notebooks = [item for item in handed if _is_hand_in(item.entry)]
    ours = naming(assignment)
    named = {item.series for item in notebooks if not ours.search(item.series)}
    if len({item.owner.key for item in notebooks}) == 1 and len(named) > 1:
        one, two, *_ = sorted(named)
        raise IntakeError(
            f"All files have the number {notebooks[0].owner.number} where Canvas writes the user's, but are "
            f"called '{shown(one)}', '{shown(two)}' and so on. Say --layout canvas if one student made them, "
            "or --layout files if they are called like their students."
        )


def _nobodys(entries: Sequence[Entry], claimed: Claims) -> list[str]:
    """A note on the files that are nobody's."""
    taken = _taken(claimed)
    files = [entry for entry in entries if not entry.is_folder and id(entry) not in taken]
    left = [entry for entry in files if _is_hand_in(entry) or not entry.parts[-1].startswith(".")]
    left.sort(key=lambda entry: (not _is_hand_in(entry), entry.parts))
    if not left:
        return []
    return [f"nobody's, so not graded: {_listed(['/'.join(entry.parts) for entry in left])}"]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(f"'{shown(name)}'" for name in names[:_LISTED]) + more
