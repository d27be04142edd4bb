"""Moodle's grading worksheet, in the languages of Moodle: where its columns stand, and what must stay."""

from __future__ import annotations

import re

from autograder.results.matching import Known, folded
from autograder.results.sheets import Layout, Sheet, SheetError

# From Moodle's language packs (assign, moodle, assignfeedback_comments): English, German, French, Spanish,
# Italian, Portuguese, Dutch, Catalan, Basque, Galician, Russian, Japanese, Chinese.
_TITLES = {
    "Identifier": "Identifier|ID|Identifiant|Identificador|Identificativo|Identificatie|Identifikatzailea"
    "|Идентификатор|标识符",
    "Full name": "Full name|Vollständiger Name|Nom complet|Nombre completo|Nome|Nome completo|Volledige naam"
    "|Izen osoa|Полное имя|フルネーム|全名",
    "Email address": "Email address|E-Mail-Adresse|Adresse de courriel|Dirección de correo|Indirizzo email"
    "|E-mail|E-mailadres|Adreça electrònica|Helbide elektronikoa|Enderezo de correo"
    "|Адрес электронной почты|メールアドレス|电子邮件地址",
    "Grade": "Grade|Bewertung|Note|Calificación|Valutazione|Avaliação|Nota|Cijfer|Qualificació|Kalifikazioa"
    "|Cualificación|Оценка|評点|评定|成绩",
    "Maximum Grade": "Maximum Grade|Maximum grade|Bestwertung|Note maximale|Calificación máxima"
    "|Valutazione massima|Nota máxima|Maximaal cijfer|Qualificació màxima|Gehieneko kalifikazioa"
    "|Cualificación máxima|Максимальная оценка|最大評点|最高分|最高成绩",
    "Scale": "Scale|Skala|Barème|Escala|Scala|Schaal|Eskala|Шкала|評価尺度|量表",
    "Grade can be changed": "Grade can be changed|Bewertung kann geändert werden|La note peut être modifiée"
    "|La calificación puede ser cambiada|La valutazione può essere cambiata|A nota pode ser alterada."
    "|Nota pode ser alterada|Het cijfer kan gewijzigd worden|Es pot canviar la qualificació"
    "|Kalifikazioa alda daiteke|A cualificación pode seren cambiada|Оценка может быть изменена|評点変更可"
    "|允许更改成绩",
    "Feedback comments": "Feedback comments|Feedback als Kommentar|Feedback par commentaires"
    "|Comentarios de retroalimentación|Commenti|Comentários de feedback|Feedback tekstvak"
    "|Comentaris de retroacció.|Feedback-iruzkinak|Comentarios|Отзыв в виде комментария"
    "|フィードバックコメント|反馈意见",
}
_YES = frozenset(map(folded, ["Yes", "Ja", "Oui", "Sí", "Sì", "Si", "Sim", "Bai", "Да", "是", "是的"]))
_PARTICIPANT = re.compile(r".*\D(?P<number>\d+)", re.DOTALL)  # the word before it depends on the language


def layout(sheet: Sheet, assignment: str, title: str | None) -> Layout:
    """The parts of a worksheet (moodle/moodle, mod/assign/gradingtable.php).

    title: of the column for points, where it cannot be told from Moodle's words. Raises SheetError.
    """
    columns = _columns(sheet)
    number = _identifier(sheet, columns)
    if "Scale" in columns and "Maximum Grade" not in columns:
        raise SheetError("This assignment is graded with a scale in Moodle, which takes no points.")
    grade = _grade(sheet, columns, title)
    most = columns.get("Maximum Grade")
    changeable = columns.get("Grade can be changed")
    people, locked = {}, {}
    for row in range(1, len(sheet)):
        found = _PARTICIPANT.fullmatch(sheet.value(row, number).strip())
        if not found:
            continue
        cells = {name: sheet.value(row, column) for name, column in columns.items()}
        ids, names = [cells.get("Email address", "")], [cells.get("Full name", "")]
        people[row] = Known.of(numbers=[found["number"]], ids=ids, names=names)
        if changeable is not None and folded(cells["Grade can be changed"]) not in (*_YES, ""):
            locked[row] = "its grade is locked in Moodle"
    found = {sheet.value(row, most).strip() for row in people} if most is not None else set()
    notes = (
        ()
        if changeable is not None
        else ("no column says whether a grade can be changed, so all were filled in",)
    )
    return Layout(
        "moodle", people, grade, ("Maximum Grade", found), locked, columns.get("Feedback comments"), notes
    )


def _columns(sheet: Sheet) -> dict[str, int]:
    """The columns by their English titles."""
    found: dict[str, int] = {}
    titles = {folded(title): column for column, title in reversed([*enumerate(sheet.header)])}
    for name, translations in _TITLES.items():
        known = [titles[folded(title)] for title in translations.split("|") if folded(title) in titles]
        if known:
            found[name] = known[0]
    return found


def _identifier(sheet: Sheet, columns: dict[str, int]) -> int:
    """The column of "Participant 11"; Moodle writes it first."""
    for column in (columns.get("Identifier", 0), 0):
        values = [sheet.value(row, column).strip() for row in range(1, len(sheet))]
        if values and all(_PARTICIPANT.fullmatch(value) for value in values if value):
            return column
    raise SheetError("The sheet has no column 'Identifier' with 'Participant' and a number in each row.")


def _grade(sheet: Sheet, columns: dict[str, int], title: str | None) -> int:
    column = columns.get("Grade") if title is None else sheet.column(title)
    if column is None:
        shown = ", ".join(map(repr, sheet.header))
        raise SheetError(
            f"The sheet has no column {title or 'Grade'!r}; there are: {shown}. Name the one for the "
            "points with --column TITLE."
        )
    return column
