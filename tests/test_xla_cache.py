"""Which compiled programs students' workers get to read: the library's, never an answer's."""

from autograder import master, xla_cache

ANSWER = """
def solve(x):
    def step(carry, item):
        return carry, item
    return jax.lax.scan(step, 0, x)
"""


def test_a_program_that_holds_a_function_of_an_answer_is_not_kept(tmp_path):
    def fill(folder):
        for name in (
            "add",
            "_argmax",
            "solve",
            "step",
            "scan",
            "while",
            "cond",
            "_lambda",
            "_unnamed_function",
        ):
            (folder / f"jit_{name}-{'0' * 64}-cache").write_bytes(b"program")
        (folder / "anything-else").write_bytes(b"")
        return ANSWER

    jax_master = master.Master("jax", f"# %%\nimport jax\n{ANSWER}")
    kept = xla_cache.programs_of(jax_master, fill, tmp_path / "xla")
    assert sorted(path.name.partition("-")[0] for path in kept.iterdir()) == ["jit__argmax", "jit_add"]


def test_an_assignment_without_jax_needs_no_programs(tmp_path):
    assert xla_cache.programs_of(master.Master("plain", "# %%\nimport numpy\n"), print, tmp_path) is None
