# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Several functions in one cell

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from policy_gradients.checks import Checks, close

# %% [markdown]
# *3 points*
#
# Write both directions: `encode` is worth one point, `decode` two.

# %% nbgrader={"grade": false, "grade_id": "encode", "locked": false, "schema_version": 3, "solution": true, "task": false}
def encode(values):
    """Differences of neighbours, the first value first: encode([3, 5, 4]) is [3, 2, -1]."""
    ### BEGIN SOLUTION
    return [b - a for a, b in zip([0, *values], values)]
    ### END SOLUTION


def decode(differences):
    """The inverse of encode."""
    ### BEGIN SOLUTION
    return [sum(differences[: i + 1]) for i in range(len(differences))]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_encode", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check = Checks("encode", points=1)
with check("three values", hint="Is the first value kept?"):
    close(encode([3, 5, 4]), [3, 2, -1])
check.score()

# %% nbgrader={"grade": true, "grade_id": "test_decode", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("decode", points=2)
with check("three values", hint="Is it the running sum?"):
    close(decode([3, 2, -1]), [3, 5, 4])
### BEGIN HIDDEN TESTS
check.hide()
with check("it takes back what encode did", hint="Try both in turn."):
    close(decode(encode([2, 7, 1])), [2, 7, 1])
### END HIDDEN TESTS
check.score()

# %% [markdown]
# *2 points*

# %% nbgrader={"grade": false, "grade_id": "statistics", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mean(values):
    """The mean of values."""
    ### BEGIN SOLUTION
    return sum(values) / len(values)
    ### END SOLUTION


def variance(values):
    """The mean squared distance from the mean."""
    ### BEGIN SOLUTION
    return mean([(value - mean(values)) ** 2 for value in values])
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_statistics", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("statistics", points=2)
with check("the mean", hint="Is it divided by the number of values?"):
    close(mean([1, 2, 6]), 3)
### BEGIN HIDDEN TESTS
check.hide()
with check("the variance", hint="Is it a mean of squares?"):
    close(variance([1, 3]), 1)
### END HIDDEN TESTS
check.score()
