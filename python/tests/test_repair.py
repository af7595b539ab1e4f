"""neurontune.repair on eager modules."""

import neurontune
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Classifier(nn.Module):
    """Passes its inputs through a dropout and a layer that changes nothing, then the world's head."""

    def __init__(self, head):
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.features = nn.Linear(16, 16)
        self.features.weight.data, self.features.bias.data = torch.eye(16), torch.zeros(16)
        self.fc = nn.Linear(16, 2)
        self.fc.weight.data, self.fc.bias.data = (part.clone() for part in head)

    def forward(self, inputs):
        return self.fc(self.features(self.dropout(inputs)))


@pytest.fixture
def module(world):
    return Classifier(world.head)


@pytest.fixture(scope="module")
def loaders(world):
    return {
        name: DataLoader(TensorDataset(*getattr(world, name)), batch_size=128)
        for name in ("train", "val", "test")
    }


def test_writes_the_head_back_in_place(world, module, loaders, repaired):
    module.train()
    features = module.features.weight.clone()
    layer, weight = module.fc, module.fc.weight
    result = neurontune.repair(module, head="fc", data=loaders)
    assert module.fc is layer and layer.weight is weight and weight.requires_grad
    assert torch.equal(layer.weight, result.head.weight)
    assert torch.equal(layer.bias, result.head.bias)
    assert torch.equal(module.features.weight, features)
    assert module.training and module.dropout.training
    assert not layer._forward_pre_hooks
    assert result.to_dict()["tuned"] == repaired.to_dict()["tuned"]
    embeddings, labels, attributes = world.test
    metrics = neurontune.group_accuracy(module.eval()(embeddings).detach(), labels, attributes)
    worst = result.tuned["test"]["worst_group_accuracy"]
    assert metrics["worst_group_accuracy"] == pytest.approx(worst, abs=0.01)


def test_a_head_that_is_kept_changes_no_bit(module, loaders):
    before = {name: value.clone() for name, value in module.double().state_dict().items()}
    data = {name: [(z.double(), y) for z, y, _ in loader] for name, loader in loaders.items()}
    inputs, labels = data["val"][0]
    few = torch.cat([labels.eq(0).nonzero()[:1], labels.eq(1).nonzero()]).squeeze(1)
    data["val"] = [(inputs[few], labels[few])]  # one sample of a class: nothing can be judged
    result = neurontune.repair(module, "fc", data)
    assert result.source == "erm" and result.warnings
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize("in_place", [False, True])
def test_compiled_modules(world, module, loaders, in_place):
    whole = module if in_place else torch.compile(module, backend="eager")
    if in_place:
        module.compile(backend="eager")
    whole(world.val[0][:4])  # compiled before the hook is there
    result = neurontune.repair(whole, head="fc", data=loaders)
    assert torch.equal(module.fc.weight, result.head.weight)
    expected = torch.nn.functional.linear(world.test[0], *result.head)
    assert torch.allclose(whole.eval()(world.test[0]), expected, atol=1e-5)


def test_half_precision_modules(module, loaders):
    data = {name: [(z.bfloat16(), y) for z, y, _ in loader] for name, loader in loaders.items()}
    result = neurontune.repair(module.bfloat16(), head="fc", data=data)
    assert module.fc.weight.dtype == torch.bfloat16
    assert torch.equal(module.fc.weight, result.head.weight.bfloat16())


class Text(nn.Module):
    """Takes two named arguments, as models of Hugging Face do."""

    def __init__(self, head):
        super().__init__()
        self.classifier = nn.Linear(16, 2)
        self.classifier.weight.data, self.classifier.bias.data = (part.clone() for part in head)

    def forward(self, values, scale):
        return {"logits": self.classifier(values * scale)}


@pytest.mark.parametrize("kind", ["dict", "tuple", "dict of all"])
def test_inputs_of_several_tensors(world, loaders, repaired, kind):
    def batches(loader):
        for z, y, a in loader:
            one = torch.ones(len(z), 1)
            if kind == "dict of all":
                yield {"values": z, "scale": one, "labels": y, "attributes": a}
            else:
                yield ({"values": z, "scale": one} if kind == "dict" else (z, one)), y, a

    data = {name: batches(loader) for name, loader in loaders.items()}
    result = neurontune.repair(Text(world.head), "classifier", data)
    assert torch.equal(result.head.weight, repaired.head.weight)


def test_progress_names_the_split_and_then_the_steps(module, loaders):
    calls = []
    neurontune.repair(
        module, "fc", loaders, epochs=2, progress=lambda *call: calls.append(call)
    )
    assert ("embed val", 8, 8) in calls and ("tune", 2, 2) in calls


def test_embeddings_with_their_labels(world, module, loaders):
    split = neurontune.embed_module(module, "fc", loaders["val"])
    assert torch.equal(split.embeddings, world.val[0])
    assert torch.equal(split.labels, world.val[1]) and torch.equal(split.attributes, world.val[2])
    assert not split.embeddings.requires_grad


@pytest.mark.parametrize(
    "head, message",
    [
        ("feature", "head 'feature' is no part of the module, expected a linear layer, the last of "
                    "which are: features, fc; did you mean features?"),
        ("dropout", "head 'dropout' is a Dropout, expected a linear layer"),
    ],
)
def test_a_wrong_head_is_a_value_error(module, loaders, head, message):
    with pytest.raises(ValueError) as error:
        neurontune.repair(module, head, loaders)
    assert message in str(error.value)


def test_wrong_data_is_said_in_one_line(module, loaders):
    with pytest.raises(ValueError, match="data has no split 'val', expected train, val"):
        neurontune.repair(module, "fc", {"train": loaders["train"]})
    with pytest.raises(ValueError, match=r"data has .*'valid'.*, expected train, val"):
        neurontune.repair(module, "fc", {"train": [], "valid": []})
    with pytest.raises(TypeError, match="data is a DataLoader, expected a dict of batches by split"):
        neurontune.repair(module, "fc", loaders["val"])
    with pytest.raises(RuntimeError, match="there is no batch"):
        neurontune.repair(module, "fc", {"train": [], "val": []})
    with pytest.raises(ValueError, match="a batch is a Tensor, expected"):
        neurontune.embed_module(module, "fc", [torch.zeros(3, 16)])
    with pytest.raises(RuntimeError, match="1 of 2 batches have attributes"):
        batch = torch.zeros(3, 16), torch.zeros(3), torch.zeros(3)
        neurontune.embed_module(module, "fc", [batch, batch[:2]])


def test_a_weight_that_is_computed_is_refused(module, loaders):
    nn.utils.parametrizations.weight_norm(module.fc)
    with pytest.raises(ValueError, match="the layer computes its weight from other parameters"):
        neurontune.repair(module, "fc", loaders)


def test_a_layer_that_is_not_the_last_one_is_refused(module, world):
    twice = nn.Sequential(module.features, module.features)
    with pytest.raises(RuntimeError, match="0 is used 2 times in a forward pass, expected once"):
        neurontune.embed_module(twice, "0", [world.val[:2]])
    with pytest.raises(RuntimeError, match=r"fc gets \[3, 5, 16\] of a batch of 3 labels"):
        neurontune.embed_module(module, "fc", [(torch.zeros(3, 5, 16), torch.zeros(3))])
    assert not module.features._forward_pre_hooks  # also after an error


class Wrapped(Classifier):
    """The same, with something that follows the head."""

    def __init__(self, head, follows):
        super().__init__(head)
        self.other = nn.Linear(16, 2)
        self.follows = follows

    def forward(self, inputs):
        return self.follows(self, inputs, super().forward(inputs))


@pytest.mark.parametrize(
    "follows",
    [
        lambda self, inputs, logits: -5 * logits,
        lambda self, inputs, logits: logits + self.other(inputs),
        lambda self, inputs, logits: logits.flip(1),
        lambda self, inputs, logits: {"loss": logits.mean()},
    ],
)
def test_a_head_that_is_not_the_output_is_refused(world, loaders, follows):
    module = Wrapped(world.head, follows)
    before = module.fc.weight.clone()
    with pytest.raises(RuntimeError, match="val: the module's output is not what fc gives"):
        neurontune.repair(module, "fc", {name: loaders[name] for name in ("val", "train")})
    assert torch.equal(module.fc.weight, before)


@pytest.mark.parametrize(
    "follows",
    [
        lambda self, inputs, logits: logits.softmax(1),
        lambda self, inputs, logits: logits.log_softmax(1),
        lambda self, inputs, logits: (logits.mean(), {"logits": logits, "state": inputs}),
    ],
)
def test_outputs_that_have_the_logits(world, module, loaders, follows):
    split = neurontune.embed_module(Wrapped(world.head, follows), "fc", loaders["val"])
    assert torch.equal(split.embeddings, world.val[0])


def test_embeddings_are_copies(world):
    class Overwriting(Classifier):
        def forward(self, inputs):
            hidden = inputs.clone()
            logits = self.fc(hidden)
            hidden.zero_()
            return logits

    class OneBuffer:
        def __iter__(self):
            inputs, labels = torch.empty(100, 16), torch.empty(100, dtype=torch.int64)
            for first in range(0, 300, 100):
                inputs.copy_(world.val[0][first : first + 100])
                labels.copy_(world.val[1][first : first + 100])
                yield inputs, labels

    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(16, 2)

        def forward(self, inputs):
            return self.fc(inputs)

    for module in (Overwriting(world.head), First()):
        split = neurontune.embed_module(module, "fc", OneBuffer())
        assert torch.equal(split.embeddings, world.val[0][:300])
        assert torch.equal(split.labels, world.val[1][:300])


def test_a_token_of_many_takes_the_memory_of_one(world):
    class FirstToken(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(16, 2)

        def forward(self, inputs):
            return self.fc(inputs[:, None].expand(-1, 64, -1).contiguous()[:, 0])

    kept = neurontune.embed_module(FirstToken(), "fc", [(world.val[0][:50], world.val[1][:50])])
    assert kept.embeddings.untyped_storage().nbytes() == 50 * 16 * 4


def test_numpy_batches(world, module):
    batches = [(world.val[0].numpy(), world.val[1].numpy())]
    assert torch.equal(neurontune.embed_module(module, "fc", batches).embeddings, world.val[0])


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"val": None}, TypeError, r"data\['val'\] is a NoneType, expected batches"),
        ({"ood": []}, ValueError, "data has a split 'ood', expected train, val"),
        ({"val": []}, RuntimeError, "val: there is no batch"),
        ({"val": [{"label": 1}]}, ValueError, "val: a batch is a dict of 'label', expected"),
        ({"val": [(torch.rand(1, 16), torch.tensor(1))]}, ValueError, r"labels of a batch are \[\]"),
        ({"val": [(torch.rand(1, 3), torch.tensor([1]))]}, RuntimeError, "val: mat1 and mat2"),
    ],
)
def test_errors_name_the_split(module, loaders, change, kind, message):
    with pytest.raises(kind, match=message):
        neurontune.repair(module, "fc", {**loaders, **change})


def test_what_is_no_module_and_no_name(module, loaders):
    with pytest.raises(ValueError, match="data has no split 'val'"):
        neurontune.repair(module, "fc", {"train": loaders["train"]})
    with pytest.raises(TypeError, match="module is a OrderedDict, expected a torch.nn.Module"):
        neurontune.repair(module.state_dict(), "fc", loaders)
    with pytest.raises(TypeError, match="head is a Linear, expected a layer's name"):
        neurontune.repair(module, module.fc, loaders)
    with pytest.raises(TypeError, match="progress is .*, expected a function"):
        neurontune.repair(module, "fc", loaders, progress=3)
    with pytest.raises(ValueError, match="did you mean module.fc"):
        neurontune.repair(nn.DataParallel(module), "fc", loaders)
