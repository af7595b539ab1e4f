"""Hugging Face's classifiers: tiny ones, with random weights."""

import functools
import shutil

import pytest
import torch
from embed_cases import another_head, error_of, ids_of, logits_of, run
from safetensors.torch import load_file, save_file

from neurontune import embed_huggingface, put_head_back

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")
Image = pytest.importorskip("PIL.Image")

TEXTS = ["a red bird", "the bird", "a house by the water", "water", "red water a bird"]
LABELS = [1, 1, 0, 0, 1]
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 24}


@pytest.fixture(scope="module")
def tokenizer():
    words = ["[PAD]", "[UNK]", *sorted({word for text in TEXTS for word in text.split()})]
    fast = tokenizers.Tokenizer(tokenizers.models.WordLevel(
        {word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    fast.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=fast, pad_token="[PAD]",
                                                unk_token="[UNK]", model_max_length=16)


def make(name, **settings):
    """In evaluation mode, as `from_pretrained` gives a model."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**{"vocab_size": 40, "pad_token_id": 0,
                                                       "num_labels": 3, **SIZES, **settings})
    return getattr(transformers, f"{name}ForSequenceClassification")(config).eval()


@pytest.fixture(scope="module")
def bert():
    return make("Bert")


def logits(model, tokenizer, texts):
    with torch.no_grad():
        return model(**tokenizer(texts, padding=True, return_tensors="pt")).logits


def of(embedded, split="val"):
    weight, bias = embedded.head
    found = embedded.splits[split].embeddings @ weight.T
    return found if bias is None else found + bias


@pytest.mark.parametrize("name", ["Bert", "Roberta", "DistilBert", "Llama", "GPT2"])
def test_head_of_embeddings_gives_the_models_logits(name, tokenizer):
    sizes = {"DistilBert": {"dim": 16, "hidden_dim": 24, "n_layers": 2, "n_heads": 2},
             "GPT2": {"n_embd": 16, "n_layer": 2, "n_head": 2}}.get(name, {})
    model = make(name, **sizes)
    embedded = embed_huggingface(model, {"val": (TEXTS, LABELS)}, tokenizer)
    assert embedded.splits["val"].embeddings.shape == (5, 16)
    torch.testing.assert_close(of(embedded), logits(model, tokenizer, TEXTS), rtol=0, atol=1e-5)


def test_batches_give_what_single_samples_give(bert, tokenizer):
    whole = embed_huggingface(bert, {"val": (TEXTS, LABELS)}, tokenizer)
    singly = embed_huggingface(bert, {"val": (TEXTS, LABELS)}, tokenizer, batch_size=1)
    torch.testing.assert_close(of(whole), of(singly), rtol=0, atol=1e-5)


def test_pairs_of_texts_are_two_arguments_of_the_tokenizer(bert, tokenizer):
    seconds = TEXTS[::-1]
    embedded = embed_huggingface(bert, {"val": (list(zip(TEXTS, seconds)), LABELS)}, tokenizer)
    with torch.no_grad():
        expected = bert(**tokenizer(TEXTS, seconds, padding=True, return_tensors="pt")).logits
    torch.testing.assert_close(of(embedded), expected, rtol=0, atol=1e-5)


def test_model_stays_as_it_was(bert, tokenizer):
    before = {name: value.clone() for name, value in bert.state_dict().items()}
    bert.train()
    bert.classifier.eval()
    embed_huggingface(bert, {"val": (TEXTS, LABELS)}, tokenizer)
    assert bert.training and bert.dropout.training and not bert.classifier.training
    bert.eval()
    assert all(torch.equal(value, before[name]) for name, value in bert.state_dict().items())
    assert not bert.classifier._forward_pre_hooks


def test_head_that_was_put_back_predicts(bert, tokenizer):
    head = another_head(3, 16)
    model = make("Bert")
    embeddings = embed_huggingface(model, {"val": (TEXTS, LABELS)},
                                   tokenizer).splits["val"].embeddings
    assert put_head_back(model, head) is model
    torch.testing.assert_close(logits(model, tokenizer, TEXTS), embeddings @ head[0].T + head[1],
                               rtol=0, atol=1e-5)


def test_head_file_is_put_back_into_a_half_precision_model(tmp_path):
    weight, bias = another_head(3, 16)
    save_file({"weight": weight, "bias": bias}, tmp_path / "head.safetensors")
    model = put_head_back(make("Bert").to(torch.bfloat16), tmp_path / "head.safetensors")
    assert torch.equal(model.classifier.weight, weight.to(torch.bfloat16))
    assert torch.equal(model.classifier.bias, bias.to(torch.bfloat16))


def test_head_too_large_for_half_precision_is_refused_and_nothing_changed():
    model = make("Bert").half()
    weight, bias = another_head(3, 16)
    before = {name: values.clone() for name, values in model.state_dict().items()}
    for head, what in (((weight, bias * 0 + 7e4), "bias"), ((weight * 0 + 7e4, bias), "weight")):
        with pytest.raises(ValueError, match=f"the head's {what} is too large for the layer's "
                                             f"torch.float16"):
            put_head_back(model, head)
    after = model.state_dict()
    assert all(torch.equal(values, after[name]) for name, values in before.items())


def test_head_of_another_shape_is_refused_and_nothing_changed(bert):
    before = bert.classifier.weight.clone()
    with pytest.raises(ValueError, match=r"weight is \[3, 15\], the layer's \[3, 16\]"):
        put_head_back(bert, another_head(3, 15))
    with pytest.raises(ValueError, match="the head has none"):
        put_head_back(bert, (another_head(3, 16)[0], None))
    assert torch.equal(bert.classifier.weight, before)


def test_layer_with_a_computed_weight_is_refused():
    model = make("Bert")
    torch.nn.utils.parametrizations.weight_norm(model.classifier)
    with pytest.raises(ValueError, match="computes its weight from other parameters"):
        put_head_back(model, another_head(3, 16))


def test_layer_that_gives_no_logits_is_refused(bert, tokenizer):
    with pytest.raises(ValueError, match="the head gives logits of shape"):
        embed_huggingface(bert, {"val": (TEXTS, LABELS)}, tokenizer, head="bert.pooler.dense")
    with pytest.raises(ValueError, match="is a Dropout, expected a linear layer"):
        embed_huggingface(bert, {"val": (TEXTS, LABELS)}, tokenizer, head="dropout")


def test_logits_that_are_scaled_after_the_head_are_refused(tokenizer):
    model = make("Bert")
    model.classifier.register_forward_hook(lambda layer, inputs, output: output * 2)

    class Scaled(torch.nn.Module):
        config = model.config

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, **inputs):
            output = self.model(**inputs)
            output.logits = output.logits + 1
            return output

    with pytest.raises(ValueError, match="the model does something between or after them"):
        embed_huggingface(Scaled(), {"val": (TEXTS, LABELS)}, tokenizer)


@pytest.mark.parametrize("split, message", [
    ((TEXTS, LABELS[1:]), r"labels have shape \[4\], expected \[5\]"),
    ((TEXTS, [0.5] * 5), "labels are torch.float32, expected integers"),
    (([], []), "val has no samples"),
    ((TEXTS, LABELS, None, ["a"]), "1 ids for 5 inputs"),
    ((TEXTS, list("abcde")), "val: labels are no integers"),
    ((TEXTS, [0, 1, 3, 0, -1]), "val: the label of sample 2 is 3, expected integers from 0 to 2"),
    ((TEXTS, LABELS, [0, 0, 0, 0, -2], list("abcde")), "the attribute of sample 'e' is -2")])
def test_wrong_splits_are_refused(split, message, bert, tokenizer):
    with pytest.raises(ValueError, match=message):
        embed_huggingface(bert, {"val": split}, tokenizer)


@pytest.mark.parametrize("splits, message", [
    ([(TEXTS, LABELS)], "splits is a list, expected a dict"),
    ({"val": (TEXTS,)}, "val is a tuple of 1, expected"),
    ({"val": (iter(TEXTS), LABELS)}, "inputs are a list_iterator without a length"),
    ({"val": ([*TEXTS[1:], None], LABELS)}, "an input is None, expected a text")])
def test_splits_of_another_kind_are_refused(splits, message, bert, tokenizer):
    with pytest.raises(TypeError, match=message):
        embed_huggingface(bert, splits, tokenizer)


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory, bert, tokenizer):
    folder = tmp_path_factory.mktemp("model")
    bert.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_csv(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_command_line_writes_the_folder(tmp_path, model_folder, bert, tokenizer):
    rows = [f"{text},{label},{'' if label else 2}" for text, label in zip(TEXTS, LABELS)]
    train = write_csv(tmp_path / "train.csv", "text,label,attribute", rows)
    val = write_csv(tmp_path / "val.csv", "id,text,label",
                    ["caf\\xE9,water,0", "n 2,a bird,1", ",a house,0"])
    done = run("huggingface", model_folder, tmp_path / "out", train, val)
    assert done.code == 0, done.error
    assert done.out == "train: 5 samples, 16 dimensions\nval: 3 samples, 16 dimensions\n"
    torch.testing.assert_close(logits_of(tmp_path / "out", "train"),
                               logits(bert, tokenizer, TEXTS), rtol=0, atol=1e-5)
    tensors = load_file(tmp_path / "out" / "train.safetensors")
    assert tensors["labels"].tolist() == LABELS
    assert tensors["attributes"].tolist() == [-1, -1, 2, 2, -1]
    assert "attributes" not in load_file(tmp_path / "out" / "val.safetensors")
    assert ids_of(tmp_path / "out", "train")[1] == "line 3: the bird"
    assert ids_of(tmp_path / "out", "val") == ["caf\\x5CxE9", "n 2", "line 4: a house"]


def test_command_line_embeds_images(tmp_path):
    config = transformers.ViTConfig(**SIZES, image_size=32, patch_size=8, num_labels=2,
                                    id2label={0: "land", 1: "water"}, label2id={"land": 0, "water": 1})
    model = transformers.ViTForImageClassification(config).eval()
    model.save_pretrained(tmp_path / "model")
    processor = transformers.ViTImageProcessor(size={"height": 32, "width": 32})
    processor.save_pretrained(tmp_path / "model")
    images = [Image.effect_noise((40, 36), 90) for _ in range(3)]
    for index, image in enumerate(images):
        image.save(tmp_path / f"{index}.png")
    rows = [f"{index}.png,{index % 2}" for index in range(3)]
    files = [write_csv(tmp_path / f"{split}.csv", "image,label", rows) for split in ("train", "val")]
    done = run("huggingface", tmp_path / "model", tmp_path / "out", *files)
    assert done.code == 0, done.error
    with torch.no_grad():
        pixels = processor(images=[image.convert("RGB") for image in images], return_tensors="pt")
        expected = model(**pixels).logits
    torch.testing.assert_close(logits_of(tmp_path / "out", "val"), expected, rtol=0, atol=1e-5)
    assert ids_of(tmp_path / "out", "val") == ["0.png", "1.png", "2.png"]
    assert (tmp_path / "out" / "names.json").read_text() == '{"labels": ["land", "water"]}\n'


def test_long_text_of_a_csv_is_truncated_by_the_tokenizer(tmp_path, model_folder, bert, tokenizer):
    text = "water " * 30000
    train = write_csv(tmp_path / "train.csv", "text,label", [f"{text},1"])
    done = run("huggingface", model_folder, tmp_path / "out", train)
    assert done.code == 0, done.error
    torch.testing.assert_close(logits_of(tmp_path / "out", "train"),
                               logits(bert, tokenizer, ["water " * 16]), rtol=0, atol=1e-5)


def test_text_that_is_not_truncated_is_refused(tokenizer):
    preprocess = functools.partial(tokenizer, padding=True, return_tensors="pt")
    with pytest.raises(ValueError, match="has it the right model_max_length"):
        embed_huggingface(make("Bert", max_position_embeddings=16),
                          {"val": (["water " * 40], [0])}, preprocess)


def test_model_without_its_tokenizer_is_refused(tmp_path, bert):
    bert.save_pretrained(tmp_path)
    with pytest.raises((ValueError, OSError), match="tokenizer"):
        embed_huggingface(tmp_path, {"val": (TEXTS, LABELS)})


@pytest.mark.parametrize("content, message", [
    ("label,text\n1\n", "train.csv:2 has 1 fields, its header 2"),
    ("label,text\n1,a red, bird\n", "train.csv:2 has 3 fields, its header 2"),
    ("text,label\na bird,1\n,1\n", "train.csv:3: text is empty"),
    ("text,text_pair,label\na bird,,1\n", "train.csv:2: text_pair is empty"),
    ('text,label\n"a bird,1\nwater,0\n', "train.csv:3: unexpected end of data"),
    ("text,label\nb\xefrd,1\n", "train.csv:2: the text is not UTF-8"),
    ("text,text,label\na,b,1\n", "train.csv has several columns text"),
    ("text,label,attribute\na,1,-2\n", "train.csv:2: attribute is '-2'"),
    ("text,label\na,-1\n", "train.csv:2: label is '-1', expected an integer from 0"),
    ("text,label\na,9\n", "train: the label of sample 'line 2: a' is 9"),
    ("text,label\n", "train.csv has no rows below its header"),
    ("a bird,1\n", "train.csv has no column label; its columns are a bird, 1"),
    ("", "train.csv has no column label; its columns are none"),
    ("image,label\na.png,1\n", "a.png'), expected a text")])
def test_wrong_csv_is_one_line(content, message, tmp_path, model_folder):
    (tmp_path / "a.png").touch()
    (tmp_path / "train.csv").write_bytes(content.encode("latin-1"))
    assert message in error_of("huggingface", model_folder, tmp_path / "out",
                               tmp_path / "train.csv")


def test_junk_of_a_model_is_one_line(tmp_path, model_folder):
    train = write_csv(tmp_path / "train.csv", "text,label", ["a bird,1"])
    shutil.copytree(model_folder, tmp_path / "model")
    (tmp_path / "model/model.safetensors").write_bytes(b"junk" * 9)
    assert f"{tmp_path}/model cannot be loaded: " in error_of(
        "huggingface", tmp_path / "model", tmp_path / "out", train)
    assert "--device nonsense: " in error_of("huggingface", model_folder, tmp_path / "out", train,
                                             "--device", "nonsense")


def test_text_for_a_model_of_images_is_one_line(tmp_path):
    config = transformers.ViTConfig(**SIZES, image_size=32, patch_size=8)
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path / "model")
    transformers.ViTImageProcessor().save_pretrained(tmp_path / "model")
    train = write_csv(tmp_path / "train.csv", "text,label", ["a bird,1"])
    assert "error: image a bird: No such file or directory" in error_of(
        "huggingface", tmp_path / "model", tmp_path / "out", train)


def test_command_line_names_file_and_line_of_a_fault(tmp_path, model_folder):
    out = tmp_path / "out"
    bad = write_csv(tmp_path / "train.csv", "text,label", ["a bird,1", "water,wet"])
    assert f"{bad}:3: label is 'wet', expected an integer from 0" in error_of(
        "huggingface", model_folder, out, bad)
    bad = write_csv(tmp_path / "train.csv", "sentence,label", ["a bird,1"])
    assert "has neither a column text nor image; its columns are sentence, label" in error_of(
        "huggingface", model_folder, out, bad)
    assert "No such file" in error_of("huggingface", model_folder, out, tmp_path / "no.csv")
    assert not out.exists()


def test_folder_with_other_files_is_refused(tmp_path, model_folder):
    train = write_csv(tmp_path / "train.csv", "text,label", ["a bird,1"])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "test.safetensors").touch()
    assert "holds test.safetensors" in error_of("huggingface", model_folder, tmp_path / "out", train)
