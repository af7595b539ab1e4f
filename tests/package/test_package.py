"""The library as strangers get it: installed, as source within their project, as a package."""
import os
import re
import shutil
import unittest
from pathlib import Path

from packaging import BUILD, ROOT, PackageTest, configure, output_of, run_consumer

VERSION = BUILD["version"]
SONAME = "libneurontune.so." + VERSION.rpartition(".")[0]
READY = f"NeuronTune {VERSION}\n"  # the first line of the consumer


def dynamic_section(file):
    """What the loader reads of a program or library, by its name: SONAME, NEEDED, RUNPATH."""
    found = {}
    for name, value in re.findall(r"\((\w+)\)\s+.*?\[(.*)\]", output_of("readelf", "-d", file)):
        found.setdefault(name, []).append(value)
    return found


class Installed(PackageTest):
    """The build at hand: an archive."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = cls.installed(BUILD["build_dir"])

    def test_a_program_finds_the_package_and_links_it(self):
        self.assertTrue(self.consumed(self.prefix).startswith(READY))

    def test_no_file_for_cmake_names_the_machine_that_built_it(self):
        files = list((self.prefix / "lib/cmake/neurontune").glob("*.cmake"))
        self.assertGreater(len(files), 5)
        for file in files:
            for folder in (BUILD["build_dir"], BUILD["torch_dir"], str(ROOT)):
                self.assertNotIn(folder, file.read_text(), file)

    def test_all_public_headers_are_there(self):
        headers = {path.relative_to(ROOT / "include") for path in (ROOT / "include").rglob("*.h")}
        include = self.prefix / "include"
        self.assertEqual({path.relative_to(include) for path in include.rglob("*") if path.is_file()},
                         headers | {Path("neurontune/version.h")})

    def test_what_there_is_to_read_is_there(self):
        documents = self.prefix / "share/doc/neurontune"
        for name in ("LICENSE", "README.md", "docs/use.md", "docs/pictures/demo.svg",
                     "examples/repair_after_training.cpp", "examples/CMakeLists.txt"):
            self.assertTrue((documents / name).is_file(), name)

    @unittest.skipUnless(BUILD["has_program"], "built without the command line")
    def test_the_program_starts_and_shells_find_its_completion(self):
        self.assertEqual(output_of(self.prefix / "bin/neurontune", "--version").split()[-1], VERSION)
        for file in ("bash-completion/completions/neurontune", "zsh/site-functions/_neurontune",
                     "fish/vendor_completions.d/neurontune.fish"):
            self.assertGreater((self.prefix / "share" / file).stat().st_size, 0, file)

    @unittest.skipUnless(BUILD["has_program"], "built without the command line")
    def test_the_program_finds_a_libtorch_beside_it_first(self):
        paths = dynamic_section(self.prefix / "bin/neurontune")["RUNPATH"][0].split(":")
        self.assertEqual(paths[:2], ["$ORIGIN", "$ORIGIN/../lib"])
        self.assertIn(BUILD["torch_libraries"], paths)


class Shared(PackageTest):
    """A shared library of the objects at hand, in a project that takes NeuronTune in as source."""

    def test_it_is_built_installed_found_and_loaded(self):
        build = self.folder / "build"
        configure(ROOT / "tests/package/embedding", build, BUILD_SHARED_LIBS="ON",
                  NEURONTUNE_SOURCE=ROOT, READY_OBJECTS=";".join(BUILD["objects"]))
        self.assertTrue(run_consumer(build).startswith(READY))
        prefix = self.installed(build)
        self.assertTrue(self.consumed(prefix).startswith(READY))
        library = prefix / f"lib/libneurontune.so.{VERSION}"
        self.assertEqual(os.readlink(prefix / "lib" / SONAME), library.name)
        section = dynamic_section(library)
        self.assertEqual(section["SONAME"], [SONAME])
        self.assertIn(BUILD["torch_libraries"], section["RUNPATH"][0].split(":"))
        self.assertIn(SONAME, dynamic_section(self.folder / "consumer/consumer")["NEEDED"])
        self.check_exports(library)

    def check_exports(self, library):
        """Of the project's own functions, those of what a header exports, and no other."""
        text = output_of("nm", "-DC", "--defined-only", library)
        exported = set(re.findall(r" T neurontune::(\w+)", text))
        self.assertLess({"repair", "neuron_tune", "Config", "SafetensorsWriter"}, exported)
        headers = "\n".join(path.read_text() for path in (ROOT / "include").rglob("*.h"))
        hidden = {name for name in exported if not re.search(rf"\b{name}\b", headers)}
        self.assertEqual(hidden, set())


class Embedded(PackageTest):
    """NeuronTune as source within another project."""

    def test_the_project_is_configured_and_compiles_a_file(self):
        build = self.folder / "build"
        configure(ROOT / "tests/package/embedding", build, NEURONTUNE_SOURCE=ROOT,
                  CMAKE_DISABLE_PRECOMPILE_HEADERS="ON")
        cache = (build / "CMakeCache.txt").read_text()
        for part in ("TOOLS", "TESTS", "EXAMPLES", "BENCHMARKS"):
            self.assertRegex(cache, rf"(?m)^NEURONTUNE_{part}:BOOL=OFF$")
        # One file stands for all, which would take as long as the build itself.
        compiled = "_deps/neurontune-build/src/CMakeFiles/neurontune_objects.dir/base/edit_distance.cpp.o"
        output_of("cmake", "--build", build, "--target", compiled)
        self.assertTrue((build / compiled).is_file())


@unittest.skipUnless(BUILD["has_program"], "built without the command line")
class Archives(PackageTest):
    """What CPack makes."""

    def packed(self, generator):
        output_of("cpack", "-G", generator, "-B", self.folder / "packages", cwd=BUILD["build_dir"])

    def test_the_tgz_holds_a_program_that_runs_where_it_is_unpacked(self):
        self.packed("TGZ")
        [package] = (self.folder / "packages").glob("*.tar.gz")
        unpacked = self.folder / "unpacked"
        unpacked.mkdir()
        output_of("tar", "--extract", "--file", package, "--directory", unpacked)
        [prefix] = unpacked.iterdir()
        self.assertIn("Usage", output_of(prefix / "bin/neurontune", "--help"))
        self.assertTrue((prefix / "lib/libneurontune.a").is_file())

    @unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "needs Debian's dpkg-dev")
    def test_the_deb_is_installed_with_its_dependencies_and_runs(self):
        self.packed("DEB")
        [package] = (self.folder / "packages").glob("*.deb")
        depends = output_of("dpkg-deb", "--field", package, "Depends")
        for library in ("libc6", "libstdc++6", "libpng16-16", "libzip4"):
            self.assertIn(library + " ", depends)
        system = self.folder / "system"
        self.install(package, system)
        self.assertIn("Usage", output_of(system / "usr/bin/neurontune", "--help"))

    def install(self, package, system):
        """Into a folder that takes the packages of this machine for installed, and no others."""
        database = system / "var/lib/dpkg"
        for folder in ("info", "updates", "triggers"):
            (database / folder).mkdir(parents=True)
        shutil.copy("/var/lib/dpkg/status", database)
        output_of("dpkg", f"--root={system}", "--force-not-root", f"--log={self.folder}/log",
                  "--install", package)
        self.assertEqual(output_of("dpkg-query", f"--admindir={database}", "--show",
                                   "--showformat=${db:Status-Status}", "neurontune"), "installed")


if __name__ == "__main__":
    unittest.main()
