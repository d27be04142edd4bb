"""Before a release the engine judges solution and blank notebook, and refuses a wrong master with reasons."""

import pytest

from autograder import trial
from autograder.master import InvalidMaster, Master, names
from tests.test_master import TINY


@pytest.fixture(autouse=True)
def nothing_passed_before(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "PASSED", tmp_path / "trials")


@pytest.mark.parametrize("name", names())
def test_the_masters_of_the_course_pass(name):
    trial.judge(Master.read(name))


def test_what_passed_is_not_judged_again_until_it_changes(monkeypatch):
    trial.judge(Master("tiny", TINY))
    monkeypatch.setattr(trial, "try_out", lambda *_: pytest.fail("judged again"))
    trial.judge(Master("tiny", TINY))
    with pytest.raises(BaseException, match="judged again"):
        trial.judge(Master("tiny", TINY.replace("1234), 2468", "50), 100")))


def test_where_nothing_isolates_a_master_is_judged_all_the_same(monkeypatch):
    def refuse(kind):
        raise trial.sandbox.NoSandbox("none here")

    monkeypatch.setattr(trial.sandbox, "resolve", refuse)
    said = []
    trial.judge(Master("tiny", TINY), said.append)
    assert said == ["No means of isolation works here, so the solution of 'tiny' is judged without one."]


MISTAKES = {
    "a misspelt name in a hidden test": (
        "close(double(1234), 2468)",
        "clos(double(1234), 2468)",
        "Cell 'test_double' uses 'clos', which the grader's process does not have",
    ),
    "a name that only the notebook imports": (
        "close(double(1234), 2468)",
        "close(double(np.array([1234])), [2468])",
        "Cell 'test_double' uses 'np'",
    ),
    "a wrong expected value": (
        "close(double(1234), 2468)",
        "close(double(1234), 2469)",
        "Cell 'test_double': the solution fails 'any number is doubled' (It returned 2468; expected 2469.",
    ),
    "a wrong solution": ("twice = 2 * x", "twice = x", "the solution fails 'twice two is four'"),
    "a solution that raises": ("twice = 2 * x", "twice = two * x", "NameError: name 'two' is not defined"),
    "a solution that stops its cell": (
        "    return twice\n    ### END SOLUTION",
        "    return twice\n    ### END SOLUTION\ndouble.limit = nothing",
        "the solution stops. NameError: name 'nothing' is not defined",
    ),
    "a test that stops by itself": (
        "check.hide()\n",
        "check.hide()\nlimit = [1, 2][2]\n",
        "Cell 'test_double' stops by itself with IndexError: list index out of range",
    ),
    "a property that cannot fail": (
        "close(double(1234), 2468)",
        "close(2468, 2468)",
        "'any number is doubled' holds for the blank notebook",
    ),
    "an error that is swallowed": (
        "    close(double(1234), 2468)",
        "    try:\n        close(double(1234), 2468)\n    except Exception:\n        pass",
        "'any number is doubled' holds for the blank notebook",
    ),
    "a verdict that depends on the seed": (
        "close(double(1234), 2468)",
        "assert double(1) == 2 and check.rng().random() > 0.4",  # 0.59, then 0.31
        "It depends on the random inputs: under another seed all properties hold.",
    ),
}


@pytest.mark.parametrize(("old", "new", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_with_cell_and_reason(old, new, reason):
    assert old in TINY
    with pytest.raises(InvalidMaster) as refused:
        trial.judge(Master("tiny", TINY.replace(old, new)))
    assert str(refused.value).startswith("The master 'tiny' cannot be released.\n  Cell ")
    assert reason in str(refused.value)


def test_a_test_cell_that_checks_nothing_is_refused():
    source = TINY.replace('with check("twice two is four", hint="Is x multiplied by two?"):\n    ', "")
    start, end = source.index("### BEGIN HIDDEN"), source.index("check.score()")
    with pytest.raises(InvalidMaster, match="'test_double' checks nothing"):
        trial.judge(Master("tiny", source[:start] + source[end:]))
