"""What the package promises of itself."""

import inspect
import re
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import neurontune
import pytest
from conftest import SOURCE

PUBLIC = [getattr(neurontune, name) for name in neurontune.__all__]


def test_is_the_installed_one():
    assert not Path(neurontune.__file__).is_relative_to(SOURCE / "python")
    assert (Path(neurontune.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_every_public_name_is_documented(thing):
    documentation = inspect.getdoc(thing)
    assert documentation and len(documentation.splitlines()[0]) <= 100
    if inspect.isfunction(thing):
        parameters = inspect.signature(thing).parameters
        for name, parameter in parameters.items():
            assert parameter.annotation is not inspect.Parameter.empty, name
            stars = "**" if parameter.kind is inspect.Parameter.VAR_KEYWORD else ""
            assert re.search(rf"^{re.escape(stars + name)}$|\b{name}\b.*$", documentation, re.M), name
        if parameters:
            assert "Raises" in documentation and "Parameters" in documentation


def test_the_extension_fits_the_torch_that_the_wheel_asks_for():
    built = re.match(r"\d+\.\d+", neurontune._core.TORCH_VERSION).group()
    assert f"torch=={built}.*" in requires("neurontune")
    assert neurontune.__version__ == version("neurontune")
    required = (SOURCE / "requirements.txt").read_text()
    assert re.search(rf"^torch=={re.escape(built)}\.\d+$", required, re.M)
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())
    assert f"torch=={built}.*" in project["build-system"]["requires"]


def test_the_extension_hides_the_librarys_names():
    import subprocess

    shown = subprocess.run(
        ["nm", "--dynamic", "--defined-only", neurontune._core.__file__],
        capture_output=True, text=True, check=True).stdout
    names = [line.split()[-1] for line in shown.splitlines()]
    assert "PyInit__core" in names
    assert [name for name in names if "neurontune" in name] == []
