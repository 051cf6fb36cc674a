"""Percentiles."""


def percentile(values, percent):
    """Linear between the two nearest ranks, as numpy and most tools have it."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
