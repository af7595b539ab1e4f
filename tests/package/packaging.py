"""What the tests of the package share: the build at hand, and how a stranger uses it."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What CMake says of the build at hand: see tests/CMakeLists.txt.
BUILD = json.loads(Path(os.environ["NEURONTUNE_BUILD"]).read_text())


def output_of(*command, cwd=None):
    """What a command prints; where it fails, the test does, and shows all that it printed."""
    # Nothing of this environment may help the programs to find libraries.
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError(f"{command} exited with {done.returncode}:\n{done.stdout}")
    return done.stdout


def configure(source, build, **settings):
    settings = {"CMAKE_BUILD_TYPE": BUILD["build_type"], "CMAKE_CXX_COMPILER": BUILD["compiler"],
                "Torch_DIR": BUILD["torch_dir"], "CMAKE_EXE_LINKER_FLAGS": BUILD["link_flags"],
                "CMAKE_SHARED_LINKER_FLAGS": BUILD["link_flags"], **settings}
    output_of("cmake", "-S", source, "-B", build, "-G", BUILD["generator"],
              *[f"-D{name}={value}" for name, value in settings.items()])


def run_consumer(build):
    """What the consumer prints, built by a project that knows where the library is."""
    output_of("cmake", "--build", build, "--target", "consumer")
    return output_of(build / "consumer", cwd=build)


class PackageTest(unittest.TestCase):
    """Tests that share a folder."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    @classmethod
    def installed(cls, build):
        """A prefix that was moved after the installation: the package must not remember its place."""
        output_of("cmake", "--install", build, "--prefix", cls.folder / "installed")
        prefix = cls.folder / "prefix"
        (cls.folder / "installed").rename(prefix)
        return prefix

    @classmethod
    def consumed(cls, prefix):
        """What a program prints that only knows find_package(neurontune)."""
        build = cls.folder / "consumer"
        configure(ROOT / "tests/package/consumer", build, CMAKE_PREFIX_PATH=prefix)
        return run_consumer(build)
