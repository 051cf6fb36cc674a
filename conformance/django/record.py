"""Runs shim.py and notes the outcome of each test as JSON in the file named by $OUTCOMES.

Run with Django's `tests` folder as the working directory; the arguments are test labels.
"""
import importlib.util
import json
import os
import runpy
import sys
import types
import unittest
from pathlib import Path

OUTCOMES = {}
# A test can have several: the worst counts.
RANK = ["passed", "expected", "skipped", "failed"]


def note(test, outcome):
    known = OUTCOMES.get(test.id(), outcome)
    OUTCOMES[test.id()] = max(known, outcome, key=RANK.index)


def noting(method, outcome):
    original = getattr(unittest.TextTestResult, method)

    def noted(self, test, *arguments):
        note(test, outcome)
        original(self, test, *arguments)

    setattr(unittest.TextTestResult, method, noted)


for method, outcome in {"addSuccess": "passed", "addError": "failed", "addFailure": "failed",
                        "addSkip": "skipped", "addExpectedFailure": "expected",
                        "addUnexpectedSuccess": "failed"}.items():
    noting(method, outcome)

sub_test = unittest.TextTestResult.addSubTest


def noted_sub_test(self, test, part, error):
    if error is not None:
        note(test, "failed")
    sub_test(self, test, part, error)


unittest.TextTestResult.addSubTest = noted_sub_test

# Django's own folder, and this one for `sealwax_sessions`.
sys.path[:0] = [os.path.abspath(".."), str(Path(__file__).resolve().parent)]

# Django before 6.0 has no Content-Security-Policy; the shim names its modules all the same.
for name in ("django.middleware.csp", "django.utils.csp"):
    if importlib.util.find_spec(name) is None:
        module = types.ModuleType(name)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        setattr(importlib.import_module(parent), child, module)

try:
    runpy.run_path(str(Path(__file__).with_name("shim.py")), run_name="__main__")
finally:
    Path(os.environ["OUTCOMES"]).write_text(json.dumps(OUTCOMES))
