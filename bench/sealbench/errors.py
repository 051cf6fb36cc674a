"""The one kind of failure that ends a run with a sentence instead of a traceback."""


class BenchError(Exception):
    """What went wrong, and what to do about it."""

    def __init__(self, problem, mend=None):
        super().__init__(problem if mend is None else f"{problem}\n  mend: {mend}")
