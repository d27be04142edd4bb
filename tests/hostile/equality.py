"""Results that only claim to be equal, of a type that is not a number, or learnt by heart."""

from tests.hostile import cheat, returning

ENTRIES = [
    cheat(
        "float that equals everything",
        "A subclass of float whose comparisons all say yes.",
        """
        class Yes(float):
            def __eq__(self, other): return True
            def __sub__(self, other): return 0.0
            __rsub__ = __sub__
            def __hash__(self): return 0
        def running_sum(values, start=0.0):
            return [Yes(0) for _ in values]
        """,
        anywhere=True,
    ),
    cheat(
        "array that equals everything",
        "A subclass of ndarray that takes over every ufunc and comparison.",
        """
        class Yes(np.ndarray):
            def __eq__(self, other): return np.ones(self.shape, bool)
            def __array_ufunc__(self, *a, **k): return np.zeros(self.shape)
            def __array_function__(self, *a, **k): return True
            def all(self, *a, **k): return True
        def running_sum(values, start=0.0):
            return np.zeros(len(values)).view(Yes)
        """,
        anywhere=True,
    ),
    cheat(
        "array by duck typing",
        "An object that names torch as its module and answers detach, cpu and __array__.",
        """
        class Tensor:
            def detach(self): return self
            def cpu(self): return self
            def numpy(self): return self
            def __array__(self, *a, **k): return np.full(3, np.nan)
            def __eq__(self, other): return True
        Tensor.__module__ = "torch"
        def running_sum(values, start=0.0):
            return Tensor()
        """,
        anywhere=True,
    ),
    cheat(
        "__array__ that raises AssertionError",
        "A conversion that raises what a failed check raises.",
        """
        class Liar:
            def __array__(self, *a, **k): raise AssertionError
        def running_sum(values, start=0.0):
            return Liar()
        """,
        status="error",
        anywhere=True,
    ),
    cheat(
        "__class__ that lies",
        "An object that claims to be a list by its __class__.",
        """
        class Liar:
            __class__ = list
            def __len__(self): return 3
            def __iter__(self): return iter([1, 3, 6])
            def __getitem__(self, i): return 0
        def running_sum(values, start=0.0):
            return Liar()
        """,
        status="partial",
        points=1,
        anywhere=True,
    ),
    cheat(
        "list that changes",
        "A list whose items differ each time somebody looks.",
        """
        class Changing(list):
            def __iter__(self): return iter([0.0] * 3)
            def __len__(self): return 3
            def __getitem__(self, i): return 0.0
        def running_sum(values, start=0.0):
            return Changing([np.nan] * len(values))
        """,
        anywhere=True,
    ),
    cheat(
        "raises AssertionError",
        "The exception that checks are made of, raised by the answer itself.",
        "def running_sum(values, start=0.0):\n    raise AssertionError",
        status="error",
        anywhere=True,
    ),
    cheat(
        "visible example by heart",
        "The visible example's result, and nothing else.",
        "def running_sum(values, start=0.0):\n"
        "    return [1, 3, 6] if list(values) == [1, 2, 3] else [0] * len(values)",
        status="partial",
        points=1,
        anywhere=True,
    ),
    returning("NaN", "Values that compare with nothing.", "[float('nan')] * len(values)"),
    returning(
        "infinite", "Values that are near everything relative to themselves.", "[float('inf')] * len(values)"
    ),
    returning("minus zero", "Another zero.", "[-0.0] * len(values)"),
    returning("booleans", "True for every value.", "[True] * len(values)"),
    returning("huge integers", "Integers that no float holds.", "[10**400] * len(values)"),
    returning(
        "integers of too many digits", "Integers longer than Python prints.", "10**9999", status="error"
    ),
    returning(
        "digits as text", "The right numbers, as strings.", "[str(v) for v in start + np.cumsum(values)]"
    ),
    returning(
        "array of text",
        "The right numbers, as an array of strings.",
        "(start + np.cumsum(values)).astype(str)",
        status="error",
    ),
    returning("right numbers as bytes", "The right array's memory.", "(start + np.cumsum(values)).tobytes()"),
    returning(
        "object array of fractions",
        "Exact numbers of a class.",
        "np.array([__import__('fractions').Fraction(v) for v in np.cumsum(values)], dtype=object)",
        status="error",
    ),
    returning(
        "decimals",
        "Numbers of the decimal module.",
        "[__import__('decimal').Decimal(float(v)) for v in np.cumsum(values)]",
        status="error",
    ),
    returning(
        "complex numbers", "The right numbers with an imaginary part.", "np.cumsum(values) + start + 1e-9j"
    ),
    returning(
        "structured array",
        "The right numbers, each in a record.",
        "np.array([(v,) for v in np.cumsum(values)], dtype=[('v', float)])",
        status="error",
    ),
    returning(
        "masked array",
        "Wrong numbers behind a mask that makes all comparisons vanish.",
        "np.ma.masked_all(len(values)) * 0",
    ),
    returning(
        "dates",
        "The right numbers as durations.",
        "np.cumsum(values).astype('timedelta64[s]')",
        status="error",
    ),
    returning(
        "dict in place of a list",
        "The right numbers as a dict's values.",
        "dict(enumerate(np.cumsum(values).tolist()))",
    ),
    returning("one number for all", "A scalar that would broadcast.", "float(np.sum(values))"),
    returning(
        "one dimension too many",
        "The right numbers in a row of a matrix.",
        "[list(start + np.cumsum(values))]",
    ),
    returning("matrix that would broadcast", "All shapes at once.", "np.zeros((1, 1))"),
    returning("ragged list", "Rows of different lengths.", "[[1], [3, 6]]"),
    returning(
        "empty array with endless rows",
        "A shape that keeps a loop busy for ever.",
        "np.zeros((2**50, 0))",
        status="error",
    ),
    returning("no value", "Nothing at all.", "None"),
    returning(
        "not implemented",
        "The constant that makes Python try the other side's comparison.",
        "NotImplemented",
        status="error",
    ),
    returning(
        "a generator",
        "The right numbers, on demand.",
        "(v for v in start + np.cumsum(values))",
        status="error",
    ),
    returning(
        "an endless generator", "Numbers without end.", "__import__('itertools').count()", status="error"
    ),
    returning("a function", "Something to be called by the grader.", "lambda *a: [1, 3, 6]", status="error"),
    returning(
        "an awaitable",
        "Something to be awaited by the grader.",
        "__import__('asyncio').sleep(0)",
        status="error",
    ),
    returning("the class Checks", "The course's own class.", "Checks", status="error"),
    returning("its own verdict", "A row for grades.json.", "{'status': 'passed', 'points': 3, 'score': 5}"),
]
