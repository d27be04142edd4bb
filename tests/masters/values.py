# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Questions that are answered by a value

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from policy_gradients.checks import Checks, close

# %% [markdown]
# ## Exercise 1
# *1 point*
#
# Which estimator is unbiased: "a", "b" or "c"?

# %% nbgrader={"grade": false, "grade_id": "choice", "locked": false, "schema_version": 3, "solution": true, "task": false}
choice = None
### BEGIN SOLUTION
choice = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_choice", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check = Checks("choice", points=1)
with check("it is one of the three letters", hint="Write the letter in quotes."):
    assert choice in ("a", "b", "c")
### BEGIN HIDDEN TESTS
check.hide()
with check("it is the right one", weight=3, hint="Which one has the right mean?"):
    assert choice == "b"
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Exercise 2
# *2 points*
#
# Measure mean and spread of the rewards.

# %% nbgrader={"grade": false, "grade_id": "measured", "locked": false, "schema_version": 3, "solution": true, "task": false}
rewards = [1.0, 2.0, 6.0]
measured = {"mean": None, "spread": None}
### BEGIN SOLUTION
measured["mean"] = sum(rewards) / len(rewards)
measured["spread"] = max(rewards) - min(rewards)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_measured", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("measured", points=2)
with check("there are two numbers", hint="Fill in both."):
    assert sorted(measured) == ["mean", "spread"]
    close(list(measured.values()), [measured["mean"], measured["spread"]], what="They are")
### BEGIN HIDDEN TESTS
check.hide()
with check("the mean", hint="Is it divided by the number of rewards?"):
    close(measured["mean"], 3, what="It is")
with check("the spread", hint="Is it the largest minus the smallest?"):
    close(measured["spread"], 5, what="It is")
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Exercise 3
# *1 point*
#
# At which step size does gradient descent on x² stop to converge?

# %% nbgrader={"grade": false, "grade_id": "step_size", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
step_size = 1.0
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_step_size", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check = Checks("step_size", points=1)
with check("it is a number", hint="Give a number."):
    close(0 * step_size, 0, what="It is")
### BEGIN HIDDEN TESTS
check.hide()
with check("it is the right one", hint="When does x change its sign and keep its size?"):
    close(step_size, 1, what="It is")
### END HIDDEN TESTS
check.score()
