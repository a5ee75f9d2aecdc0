"""How evenly things happen: counts in bins of equal length, and their peak against their mean."""
import math


def bins(times, begin, end, width=1.0):
    """How many of `times` lie in each bin of [begin, end); the last one may reach beyond `end`, which adds nothing to it."""
    if end <= begin:
        raise ValueError("the end is not after the begin")
    counts = [0] * math.ceil((end - begin) / width)
    for time in times:
        if begin <= time < end:
            counts[int((time - begin) / width)] += 1
    return counts


def increments(samples, begin, end, width=1.0):
    """The same of a counter that was sampled: (time, value) pairs in order. What is counted between two samples counts for
    the bin of the later one."""
    times, last = [], None
    for time, value in samples:
        if last is not None:
            times += [time] * (value - last)
        last = value
    return bins(times, begin, end, width)


def peak_to_mean(counts, bins=None):
    """0 for nothing at all. The mean is over `bins`, which need not be whole when the last one is cut short, or else over all
    of them: a burst and then silence is a high peak."""
    total = sum(counts)
    return max(counts) * (bins or len(counts)) / total if total else 0.0


def percentile(values, percent):
    """The least value that at least `percent` of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
