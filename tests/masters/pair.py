# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Two questions for the engine's tests

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from policy_gradients.checks import Checks, close

# %% nbgrader={"grade": false, "grade_id": "running_sum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def running_sum(values, start=0.0):
    """Sums of the first 1, 2, ... values, each plus start."""
    ### BEGIN SOLUTION
    return start + np.cumsum(values)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_running_sum", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check = Checks("running_sum", points=3)
with check("three values", hint="Is every value added once?"):
    close(running_sum([1, 2, 3]), [1, 3, 6])
### BEGIN HIDDEN TESTS
check.hide()
with check("a start", hint="Is start added?"):
    close(running_sum([1, 2], start=10.0), [11, 13])
with check("random values", hint="Does it hold for any values?"):
    import numpy as np

    values = check.rng().normal(size=17)
    close(running_sum(values), np.cumsum(values))
### END HIDDEN TESTS
check.score()

# %% [markdown]
# The second question.

# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_double", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("double", points=2)
with check("twice two is four", hint="Is x multiplied by two?"):
    close(double(2), 4)
### BEGIN HIDDEN TESTS
check.hide()
import numpy as np

with check("the argument stays as it is"):
    close(check.evaluate("[double(x), x][1]", x=np.array([1.0, 2.0])), [1, 2])
### END HIDDEN TESTS
check.score()

# %% tags=["training"]
raise RuntimeError("no grader trains")
