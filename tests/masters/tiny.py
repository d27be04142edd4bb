# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A tiny assignment
#
# [Open in Colab]({{colab}})

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
{{setup()}}

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from policy_gradients.checks import Checks, close

# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x):
    """Twice x: double(2) == 4."""
    ### BEGIN SOLUTION
    twice = 2 * x
    return twice
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_double", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("double", points=2)
with check("twice two is four", hint="Is x multiplied by two?"):
    close(double(2), 4)
### BEGIN HIDDEN TESTS
check.hide()
with check("any number is doubled", hint="Is x squared?"):
    close(double(1234), 2468)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Training

# %% tags=["training"]
import os
import sys

from tqdm.auto import tqdm

total = sum(double(i) for i in tqdm(range(3)))
print("a warning", file=sys.stderr)
print(total, os.getcwd(), object())

# %% tags=["training"]
total
