"""The figures that everything else is made of."""

from .stats import percentile


def low(outcome, case, key):
    """CPU of a proxy under one kind of load: the 10th percentile of its slices."""
    return percentile([case.figure(one) for one in outcome.slices[case.key, key]], 10)


def ratio(outcome, case, key, other):
    return low(outcome, case, key) / low(outcome, case, other)


def memory_of(outcome, kind, key):
    """KiB per idle connection, each having had one request."""
    return outcome.memory[kind, key].asked
