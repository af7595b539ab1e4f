"""neurontune.tune against the program, and what it takes."""

import json
import os
import pickle
import signal
import threading
import time
import warnings

import neurontune
import numpy as np
import pytest
import torch
from conftest import same_bytes
from safetensors.torch import load_file


@pytest.mark.parametrize(
    "flags, options",
    [
        ([], {}),
        (["--seed", 2, "--max-drop", 0.3], {"seed": 2, "max_drop": 0.3}),
        (["--recipe", "paper", "--epochs", 3], {"recipe": "paper", "epochs": 3}),
    ],
)
def test_is_what_the_program_does(world, folder, run_program, tmp_path, flags, options):
    process = run_program("run", "--embeddings", folder, "--out", tmp_path / "out", *flags)
    assert process.returncode == 0, process.stderr
    result = neurontune.tune(world.val, world.train, world.head, test=world.test, **options)
    head = load_file(tmp_path / "out" / "head.safetensors")
    assert same_bytes(result.head.weight, head["weight"])
    assert same_bytes(result.head.bias, head["bias"])
    found = load_file(tmp_path / "out" / "spuriousness.safetensors")
    assert same_bytes(result.scores, found["scores"])
    assert same_bytes(result.mask, found["mask"])
    written = json.loads((tmp_path / "out" / "result.json").read_text())
    ours = result.to_dict()
    for clock_or_file in ("seconds", "files"):
        del written[clock_or_file], ours[clock_or_file]
    assert ours == written
    lines = (tmp_path / "out" / "trajectory.jsonl").read_text().splitlines()
    assert result.trajectory == [json.loads(line) for line in lines]


def test_repairs_the_world(world, repaired):
    assert repaired.source != "erm"
    before = repaired.erm["test"]["worst_group_accuracy"]
    assert repaired.tuned["test"]["worst_group_accuracy"] > before + 0.1
    assert repaired.candidates[0]["source"] == repaired.source
    assert repaired.conclusion.startswith("The head is ")


def test_arrays_give_what_tensors_give(world, repaired):
    arrays = [[part.numpy() for part in split] for split in (world.val, world.train, world.test)]
    head = tuple(part.numpy() for part in world.head)
    result = neurontune.tune(arrays[0], arrays[1], head, test=arrays[2])
    assert same_bytes(result.head.weight, repaired.head.weight)


def test_arrays_of_other_kinds(world, repaired):
    """Read-only, backwards, of strides, of small integers; no warning comes through."""
    embeddings, labels, attributes = (part.numpy() for part in world.val)
    embeddings = np.concatenate([embeddings, embeddings], axis=1)[:, :16]
    labels = np.stack([labels, labels], axis=1).astype(np.uint8)[:, 0]
    attributes = attributes[::-1].copy()[::-1]
    embeddings.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = neurontune.tune(
            (embeddings, labels, attributes), world.train, world.head, test=world.test
        )
    assert same_bytes(result.head.weight, repaired.head.weight)


def test_an_array_is_not_copied():
    array = np.zeros((3, 2), np.float32)
    assert neurontune._tensors.tensor_of(array).data_ptr() == array.ctypes.data


def test_inputs_stay_as_they_are(world):
    before = [part.clone() for part in (*world.val, *world.train, *world.head)]
    neurontune.tune(world.val, world.train, world.head, epochs=2)
    after = (*world.val, *world.train, *world.head)
    assert all(torch.equal(one, other) for one, other in zip(before, after))


def test_a_head_may_be_a_layer_or_a_model(world, repaired, tmp_path):
    layer = torch.nn.Linear(16, 2)
    layer.weight.data, layer.bias.data = world.head
    torch.jit.script(torch.nn.Sequential(torch.nn.ReLU(), layer)).save(tmp_path / "model.pt")
    for head in (layer, tmp_path / "model.pt", str(tmp_path / "model.pt")):
        result = neurontune.tune(world.val, world.train, head)
        assert same_bytes(result.head.weight, repaired.head.weight)
    neurontune.export(tmp_path / "model.pt", result.head, tmp_path / "repaired.pt")
    model = torch.jit.load(tmp_path / "repaired.pt")
    assert torch.equal(model(torch.eye(16)), torch.nn.functional.linear(torch.eye(16), *result.head))


def test_a_bias_is_not_lost_in_a_model(world, tmp_path):
    layer = torch.nn.Linear(16, 2)
    torch.jit.trace(layer, torch.zeros(2, 16)).save(tmp_path / "model.pt")
    with pytest.raises(ValueError, match="the layer has a bias, the head has none"):
        neurontune.export(tmp_path / "model.pt", (world.head[0], None), tmp_path / "repaired.pt")
    with pytest.raises(RuntimeError, match="weight holds NaN or infinite values"):
        head = world.head[0] / 0, world.head[1]
        neurontune.export(tmp_path / "model.pt", head, tmp_path / "repaired.pt")
    assert not (tmp_path / "repaired.pt").exists()


def test_a_head_of_one_logit_stays_one(world, repaired):
    weight, bias = world.head
    single = (weight[1:] - weight[:1], bias[1:] - bias[:1])
    result = neurontune.tune(world.val, world.train, single)
    assert result.head.weight.shape == (1, 16) and result.head.bias.shape == (1,)
    logits = torch.nn.functional.linear(world.test[0], *result.head).squeeze(1)
    two = torch.nn.functional.linear(world.test[0], *repaired.head)
    assert ((logits > 0).long() == two.argmax(1)).float().mean() > 0.95


def test_a_head_without_bias_stays_so(world):
    result = neurontune.tune(world.val, world.train, (world.head[0], None), epochs=2)
    assert result.head.bias is None


def test_settings_do_the_same_again(world, tuned_by_paper):
    assert tuned_by_paper.settings["recipe"] == "paper"
    assert tuned_by_paper.settings["tune.epochs"] == 5
    again = neurontune.tune(world.val, world.train, world.head, **tuned_by_paper.settings)
    assert same_bytes(again.head.weight, tuned_by_paper.head.weight)


def test_settings_may_be_nested_and_of_numpy(world, tuned_by_paper):
    options = {"recipe": "paper", "tune": {"epochs": np.int64(5)}, "seed": 3, "mask_value": None}
    again = neurontune.tune(world.val, world.train, world.head, **options)
    assert same_bytes(again.head.weight, tuned_by_paper.head.weight)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"epoch": 3}, "options: unknown setting epoch; the nearest known one is epochs"),
        ({"epochs": 0}, "epochs is 0, expected 1 to 100000"),
        ({"epochs": "many"}, "options: tune.epochs is "),
        ({"epochs": True}, "options: tune.epochs is true, expected a whole number"),
        ({"recipe": "papr"}, "papr"),
        ({"iterations": 3}, "options: iterations may be shortcut.iterations or anchored.iterations"),
        ({"device": "cpu"}, "options: device is not used with data in memory"),
        ({"model.path": "x.pt"}, "options: model.path is not used with data in memory"),
        ({"epochs": 3, "tune.epochs": 4}, "options: tune.epochs is given twice"),
        ({"epochs": object()}, "options: epochs: a object is no value of a setting"),
        ({"max_drop": float("nan")}, "options: max_drop: NaN is no value of a setting"),
        ({"shortcut": {"folds": np.inf}}, "options: shortcut: Infinity is no value of a setting"),
    ],
)
def test_a_wrong_setting_is_a_value_error(world, options, message):
    with pytest.raises(ValueError) as error:
        neurontune.tune(world.val, world.train, world.head, **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def changed(split, **parts):
    names = ("embeddings", "labels", "attributes")
    return tuple(parts.get(name, part) for name, part in zip(names, split))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda z, y: (z[:-1], y), "val: labels has 1000 rows, embeddings has 999"),
        (lambda z, y: (z[:, :3], y), "val: embeddings has 3 dimensions, the head takes 16"),
        (lambda z, y: (z, y + 1), "expected 0 to 1: the head has 2 classes"),
        (lambda z, y: (z, y.float()), "val: `labels` is float32 [1000], expected integers [N]"),
        (lambda z, y: (z.long(), y), "val: `embeddings` is int64 [1000, 16], expected F64, F32"),
        (lambda z, y: (z / 0, y), "expected finite values"),
    ],
)
def test_wrong_data_is_a_runtime_error_of_one_line(world, make, message):
    with pytest.raises(RuntimeError) as error:
        neurontune.tune(make(*world.val[:2]), world.train, world.head)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_split_or_head_is_a_type_error(world):
    with pytest.raises(TypeError, match=r"identification is a Tensor, expected \(embeddings, labels"):
        neurontune.tune(world.val[0], world.train, world.head)
    with pytest.raises(TypeError, match="head is a tuple of 3"):
        neurontune.tune(world.val, world.train, (*world.head, 0))
    with pytest.raises(RuntimeError, match="absent.pt"):
        neurontune.tune(world.val, world.train, "absent.pt")


def test_progress_is_reported(world):
    calls = []
    neurontune.tune(
        world.val, world.train, world.head, epochs=3, progress=lambda *call: calls.append(call)
    )
    assert [call for call in calls if call[0] == "tune"] == [("tune", i, 3) for i in (1, 2, 3)]
    assert all(1 <= done <= total for _, done, total in calls)


def test_an_exception_of_the_callback_ends_the_work(world):
    class Enough(Exception):
        pass

    calls = []

    def stop(stage, done, total):
        calls.append(done)
        if done == 2:
            raise Enough

    with pytest.raises(Enough):
        neurontune.tune(world.val, world.train, world.head, progress=stop)
    assert calls == [1, 2]


@pytest.fixture
def ctrl_c():
    """Python's own handler, which a program that is started in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_the_work_and_other_threads_run_meanwhile(world, ctrl_c):
    ticks = []

    def interrupt():
        for _ in range(20):
            ticks.append(time.monotonic())
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        neurontune.tune(world.val, world.train, world.head, recipe="paper", epochs=5_000)
    thread.join()
    assert np.diff(ticks).max() < 1  # the interpreter's lock was free


def test_torchs_own_state_stays(world):
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    neurontune.tune(world.val, world.train, world.head, epochs=2)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled()


def test_works_in_other_threads(world, repaired):
    heads = [None, None]

    def work(place):
        heads[place] = neurontune.tune(world.val, world.train, world.head).head

    threads = [threading.Thread(target=work, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same_bytes(head.weight, repaired.head.weight) for head in heads)


def test_half_precision(world, repaired):
    halves = [(z.half(), y, a) for z, y, a in (world.val, world.train)]
    result = neurontune.tune(*halves, [part.half() for part in world.head])
    assert result.head.weight.dtype == torch.float32
    assert result.source != "erm"


def test_a_result_can_be_pickled_and_shown(repaired):
    again = pickle.loads(pickle.dumps(repaired))
    assert torch.equal(again.head.weight, repaired.head.weight)
    assert again.to_dict() == repaired.to_dict()
    assert repr(again).startswith(f"Result(source='{again.source}', conclusion='The head is ")
    assert len(repr(again)) < 200 and len(repr(again.groups)) < 100
    page = again._repr_html_()
    assert page.startswith("<iframe srcdoc=") and "Worst group (test)" in page
    assert page.count("<") == 2  # the page itself is escaped


def test_tables(repaired):
    pandas = pytest.importorskip("pandas")
    accuracy = repaired.to_pandas()
    assert isinstance(accuracy, pandas.DataFrame)
    row = accuracy.set_index(["split", "head"]).loc[("test", "tuned")]
    assert row["worst_group_accuracy"] == repaired.tuned["test"]["worst_group_accuracy"]
    assert len(repaired.to_pandas("groups")) == 3 * 2 * 4
    assert len(repaired.to_pandas("candidates")) == len(repaired.candidates)
    assert list(repaired.to_pandas("trajectory")["epoch"]) == list(range(1, 21))
    with pytest.raises(ValueError, match="table is 'x', expected one of accuracy, groups"):
        repaired.to_pandas("x")
