"""Waiting for events with a deadline, instead of sleeping and hoping."""
import time


def wait_until(condition, timeout, what, interval=0.02):
    """The first true value of condition(), asked again and again; AssertionError after timeout seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(interval)
