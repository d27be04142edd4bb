"""Matching people with rows: never by a guess, whichever details are known."""

from hypothesis import given
from hypothesis import strategies as st

from autograder.intake import Person
from autograder.results.matching import Known, match, name_key, name_spellings

few = st.sets(st.sampled_from("abc"), max_size=2)
people = st.builds(lambda n, i, m: Known.of(numbers=n, ids=i, names=m), few, few, few)
classes = st.lists(people, max_size=5)


@given(classes, classes, st.randoms())
def test_no_row_has_two_students_and_order_does_not_matter(students, rows, random):
    students = {str(place): known for place, known in enumerate(students)}
    rows = dict(enumerate(rows))
    found = match(students, rows)
    assert len(set(found.rows.values())) == len(found.rows)
    assert found.rows.keys() | found.reasons.keys() == students.keys()
    assert not found.rows.keys() & found.reasons.keys()
    shuffled = [*students.items()]
    random.shuffle(shuffled)
    assert match(dict(shuffled), dict(reversed(rows.items()))).rows == found.rows


@given(classes, people, classes)
def test_nobody_moves_to_another_row_because_somebody_else_handed_in(students, another, rows):
    students = {str(place): known for place, known in enumerate(students)}
    before = match(students, dict(enumerate(rows))).rows
    after = match({**students, "another": another}, dict(enumerate(rows))).rows
    after.pop("another", None)
    assert after.items() <= before.items()


@given(classes, classes)
def test_a_number_decides_alone(students, rows):
    students = {str(place): known for place, known in enumerate(students) if len(known.numbers) == 1}
    rows = dict(enumerate(rows))
    for student, row in match(students, rows).rows.items():
        assert students[student].numbers <= rows[row].numbers


def test_names_lose_dots_and_apostrophes_on_the_way_and_stay_the_same():
    assert name_key("O'Brien,  Jr.") == name_key("OBRIEN Jr") == "obrien jr"
    assert name_key("Müller") == name_key("Mu\u0308ller") != name_key("Muller")
    assert name_key("राम") and name_key("王小明")
    assert {"Ada Ex", "ExAda"} <= set(name_spellings("Ex, Ada"))


def test_a_number_of_an_assignment_says_nothing_about_another():
    moodle = Known.across_assignments("x", Person("moodle", "11", "Ada Ex"))
    canvas = Known.across_assignments("x", Person("canvas", "11", "exada"))
    assert "11" in canvas.ids and "11" not in moodle.ids
    assert not moodle.is_another_than(canvas)
    assert canvas.is_another_than(Known.across_assignments("y", Person("canvas", "12", "exada")))
