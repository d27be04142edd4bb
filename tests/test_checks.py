"""Property checks: partial credit, honest comparison, and messages that give nothing away."""

import collections

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from policy_gradients.checks import Checks, RemoteFailure, close, numbers, remote_student


@pytest.mark.parametrize(
    "value",
    [
        [1, 2.5],
        (1, 2.5),
        collections.deque([1, 2.5]),
        np.array([1, 2.5], dtype=np.float32),
        jnp.array([1, 2.5]),
        torch.tensor([1, 2.5], requires_grad=True),
        [jnp.array(1.0), jnp.array(2.5)],
        [np.float64(1), torch.tensor(2.5)],
        [[1], [2.5]][0] + [2.5],
        jnp.array([1, 2.5], dtype=jnp.bfloat16),
    ],
)
def test_every_kind_of_numbers_is_close_to_its_value(value):
    close(value, [1, 2.5])


@pytest.mark.parametrize(
    "value",
    [
        None,
        "1",
        ["1", "2"],
        {1: 2},
        {1, 2},
        iter([1, 2]),
        object(),
        [1, None],
        [1, [2]],
        [np.ones(2), np.ones(3)],
        len,
    ],
)
def test_what_is_no_number_is_said_to_be_none(value):
    with pytest.raises(AssertionError, match="returned"):
        numbers(value)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (np.nan, np.nan),
        (np.inf, -np.inf),
        (np.inf, 1.0),
        ([1.0], 1.0),
        ([[1.0, 2.0]], [1.0, 2.0]),
        (1.001, 1.0),
        ([], [1.0]),
        (np.ones((2, 1)), np.ones((1, 2))),
    ],
)
def test_what_is_not_close_is_refused(actual, expected):
    with pytest.raises(AssertionError):
        close(actual, expected)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 0.0, 1e30, []])
def test_a_value_is_close_to_itself(value):
    close(value, value)


def checked(hidden=False):
    check = Checks("f", points=4)
    if hidden:
        check.hide()
    with check("holds"):
        pass
    with check("wrong", hint="Look again.", weight=2):
        close(3, 77)
    with check("raises", hint="Try it."):
        raise ValueError("input was 55")
    return check.score()


def test_each_property_has_its_share_of_the_points():
    score = checked()
    assert score == 1.0
    assert repr(score) == "1.0"
    assert [item.passed for item in score.properties] == [True, False, False]


def test_visible_checks_show_values_and_hidden_ones_only_the_authors_words():
    visible = " ".join(item.message for item in checked().properties)
    hidden = " ".join(item.message for item in checked(hidden=True).properties)
    assert "77" in visible
    assert "input was 55" in visible
    assert "Look again." in hidden
    assert "ValueError" in hidden
    assert not any(word in hidden for word in ("77", "3", "55"))


def test_a_score_shows_its_properties_with_markup_escaped():
    check = Checks("f", points=1)
    with check("1 < 2"):
        raise AssertionError("<script>")
    page = check.score()._repr_html_()
    assert "1 &lt; 2" in page
    assert "<script>" not in page
    assert "0 of 1 properties hold" in page


def test_a_stub_is_not_written_yet_rather_than_wrong():
    check = Checks("f", points=1)
    with check("any", hint="A hint that would not help."):
        raise NotImplementedError
    (item,) = check.score().properties
    assert (item.kind, item.message) == ("missing", "not written yet.")


def test_random_inputs_follow_the_secret_seed_and_the_question():
    def draw(question, seed):
        with remote_student(lambda *_: None, seed):
            return Checks(question, 1).rng().random()

    assert draw("f", 1) == draw("f", 1)
    assert len({draw("f", 1), draw("f", 2), draw("g", 1)}) == 3


def test_expressions_go_to_the_remote_student():
    def evaluate(expression, values):
        if expression == "boom":
            raise RemoteFailure("timeout", "It did not end within 1 second.")
        return [expression, values]

    check = Checks("f", 1)
    with remote_student(evaluate, 0):
        assert check.evaluate("f(x)", x=2) == ["f(x)", {"x": 2}]
        with check("in time"):
            check.evaluate("boom")
    assert check.score().properties[0].kind == "timeout"


def test_a_name_error_in_a_remote_test_cell_is_the_authors_mistake():
    with (
        remote_student(lambda *_: None, 0),
        pytest.raises(TypeError, match="test cell of f is wrong"),
        Checks("f", 1)("any"),
    ):
        no_such_name  # noqa: B018, F821


def test_an_observer_is_told_of_every_property_and_why_it_failed():
    told = []
    with remote_student(lambda *_: 3.0, 0, observe=lambda *seen: told.append(seen)):
        check = Checks("f", points=1)
        check.hide()
        with check("holds"):
            close(check.evaluate("f(1)"), 3)
        with check("does not"):
            close(check.evaluate("f(2)"), [3.0, 4.0])
        with check("is another number"):
            close(check.evaluate("f(2)"), 4)
    assert [(question, item.name, item.passed) for question, item, _ in told] == [
        ("f", "holds", True),
        ("f", "does not", False),
        ("f", "is another number", False),
    ]
    holds, shape, number = (error for *_, error in told)
    assert holds is None
    assert (shape.got.tolist(), shape.wanted.tolist(), shape.near) == (3, [3, 4], None)
    assert (number.got, number.wanted, number.near.tolist()) == (3, 4, False)
    assert not any(item.message for _, item, _ in told)  # the student reads no value
