"""neurontune.compare against the program."""

import json

import neurontune
import pytest

METHODS = ["erm", "llr", "anchored", "dfr_val", "neurontune"]
QUICK = {"epochs": 2, "batches_per_epoch": 20}


@pytest.fixture(scope="module")
def comparison(world):
    return neurontune.compare(
        world.val, world.train, world.head, world.test, methods=METHODS, seeds=2, **QUICK
    )


def without_clock(methods):
    return [{key: value for key, value in m.items() if key != "seconds"} for m in methods]


def test_is_what_the_program_does(comparison, folder, run_program, tmp_path):
    process = run_program(
        "compare", "--embeddings", folder, "--methods", ",".join(METHODS), "--seeds", 2,
        "--epochs", 2, "--batches-per-epoch", 20, "--out", tmp_path / "out")
    assert process.returncode == 0, process.stderr
    written = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert without_clock(comparison.methods) == without_clock(written["methods"])
    assert comparison.warnings == written["warnings"]
    assert comparison.to_dict()["seeds"] == written["seeds"] == [0, 1]


def test_tables(comparison):
    pytest.importorskip("pandas")
    table = comparison.to_pandas()
    assert list(table["method"]) == METHODS
    oracle = comparison.methods[3]["test"]["worst_group_accuracy"]
    assert table["worst_group_accuracy"][3] == oracle["mean"]
    assert table["worst_group_accuracy_std"][3] == oracle["std"]
    assert "<td>dfr_val</td>" in comparison._repr_html_()


def test_every_method_has_a_name():
    names = neurontune.method_names()
    assert set(METHODS) < set(names) and len(names) == len(set(names))


def test_without_attributes_oracles_are_left_out(world):
    calls = []
    found = neurontune.compare(
        *(split[:2] for split in (world.val, world.train)), world.head, world.test[:2],
        methods=["erm", "neurontune_default"], seeds=1, progress=lambda *call: calls.append(call),
        **QUICK)
    assert [method["method"] for method in found.methods] == ["erm", "neurontune_default"]
    assert calls[0][0] == "neurontune_default 0"


def test_an_unknown_method_is_a_value_error(world):
    with pytest.raises(ValueError, match="unknown method anchord; the nearest known one is anchored"):
        neurontune.compare(world.val, world.train, world.head, world.test, methods=["anchord"])
    with pytest.raises(ValueError, match="seeds is 0, expected 1 to"):
        neurontune.compare(world.val, world.train, world.head, world.test, seeds=0)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"seeds": 1.5}, "seeds is 1.5, expected a whole number"),
        ({"seeds": [0, 1]}, "seeds is a list of 2, expected a whole number"),
        ({"seeds": True}, "seeds is True, expected a whole number"),
        ({"methods": "erm"}, "methods is 'erm', expected a list of names"),
        ({"methods": 5}, "methods is 5, expected a list of names"),
        ({"methods": [1]}, "methods holds 1, expected names"),
        ({"progress": 3}, "progress is 3, expected a function"),
    ],
)
def test_arguments_of_a_wrong_kind_are_type_errors(world, options, message):
    with pytest.raises(TypeError) as error:
        neurontune.compare(world.val, world.train, world.head, world.test, **options)
    assert str(error.value) == message


def test_a_number_that_is_too_large_is_a_value_error(world):
    with pytest.raises(ValueError, match="seeds is 1[0.]+, expected a number of 64 bits"):
        neurontune.compare(world.val, world.train, world.head, world.test, seeds=10**60)


def test_is_shown_in_a_line(comparison):
    assert repr(comparison) == f"Comparison(methods=[{', '.join(METHODS)}], seeds=[0, 1])"
