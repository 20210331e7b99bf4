"""Code in a process of its own, for what is decided when kerasish is imported."""

import os
import subprocess
import sys


def output(code: str, **variables: str) -> str:
    """What it writes, with these variables in the environment."""
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
