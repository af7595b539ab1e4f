"""Makes the wheel from a finished build, installs it into an environment of its own and runs its tests
there, from a folder outside of the source.

usage: test_wheel.py BUILD WORK
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]


def run(*command, **options):
    print("+", *command, flush=True)
    subprocess.run([*map(str, command)], check=True, **options)


def make_wheel(build, work):
    """The library comes from the build as it is installed; only the extension is compiled."""
    prefix, wheels = work / "prefix", work / "wheels"
    for folder in (prefix, wheels):
        shutil.rmtree(folder, ignore_errors=True)
    run("cmake", "--install", build, "--prefix", prefix)
    defines = {"CMAKE_PREFIX_PATH": prefix}
    if shutil.which("ccache"):
        defines["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
    settings = [f"-Ccmake.define.{name}={value}" for name, value in defines.items()]
    sloppiness = "pch_defines,time_macros,include_file_mtime,include_file_ctime"
    run(sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps",
        "--no-build-isolation", "--wheel-dir", wheels, f"-Cbuild-dir={work / 'build'}", *settings,
        SOURCE, env=os.environ | {"CCACHE_SLOPPINESS": sloppiness})
    (wheel,) = wheels.glob("neurontune-*.whl")
    return wheel


def make_environment(folder):
    """A virtual environment that sees the packages of this one, torch among them."""
    venv.create(folder, clear=True, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "tests_own.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def main():
    build, work = (Path(argument).resolve() for argument in sys.argv[1:])
    wheel = make_wheel(build, work)
    python = make_environment(work / "environment")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--disable-pip-version-check",
        "--no-deps", "--no-index", wheel)
    run(python, "-B", "-W", "ignore::DeprecationWarning", "-m", "pytest", "-q", "-rs", "-p",
        "no:cacheprovider", "--durations=8", SOURCE / "python" / "tests", cwd=work)


if __name__ == "__main__":
    main()
