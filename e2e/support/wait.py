"""Waiting for a condition instead of sleeping."""

import time


def wait_for(condition, timeout=10.0, what="the condition", interval=0.02):
    """Returns the first true value of condition(), or fails naming what was awaited and the last value seen."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {timeout} s still waiting for {what}; last seen: {value!r}")
        time.sleep(interval)
