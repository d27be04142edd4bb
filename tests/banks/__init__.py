"""Banks of right and wrong answers to the graded functions.

``tests/banks/ASSIGNMENT/FUNCTION.py`` holds answers as percent cells. Each begins with
``# %% right: short name`` or ``# %% wrong: short name``; what follows, up to the next such line,
is complete source that defines the function, with the notebook's imports in scope.
"""

import dataclasses
import re
from pathlib import Path

FOLDER = Path(__file__).parent
_HEADER = re.compile(r"^# %% (right|wrong): (.+)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Answer:
    """One answer to one graded function: kind is "right" or "wrong", source defines the function."""

    kind: str
    name: str
    source: str


def answers(assignment: str, function: str) -> list[Answer]:
    """All answers in the bank of `function`, in file order.

    Raises FileNotFoundError where there is no bank, and ValueError where a cell has no proper
    header or two answers share a name.
    """
    path = FOLDER / assignment / f"{function}.py"
    preamble, *parts = _HEADER.split(path.read_text(encoding="utf-8"))
    if "# %%" in preamble or any("# %%" in source for source in parts[2::3]):
        raise ValueError(f"{path} has a cell that begins with neither '# %% right: ' nor '# %% wrong: '.")
    bank = [
        Answer(kind, name.strip(), source.strip() + "\n")
        for kind, name, source in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
    if len({answer.name for answer in bank}) < len(bank):
        raise ValueError(f"{path} has two answers of one name.")
    return bank
