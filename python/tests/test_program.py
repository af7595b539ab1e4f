"""The program that the package holds."""

import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path


def test_says_the_packages_version(run_program):
    process = run_program("--version")
    assert process.returncode == 0 and version("neurontune") in process.stdout


def test_takes_arguments_and_gives_its_exit_code(run_program):
    process = run_program("run", "--embeddings", "a b", "--out", "c")
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].startswith("error: a b: is no folder")
    assert run_program("run", "--no-such").returncode == 2


def test_is_the_console_script():
    (script,) = entry_points(group="console_scripts", name="neurontune")
    assert script.value == "neurontune.__main__:main"
    installed = Path(sys.executable).parent / "neurontune"
    process = subprocess.run([installed, "--help"], capture_output=True, text=True, timeout=60)
    assert process.returncode == 0 and "Usage: neurontune" in process.stdout
