"""Exports small Hugging Face classifiers as users do, each with what a forward hook on its head sees.

    export_transformers.py FOLDER

For each model NAME and each KIND of output, `tuple` and `dict`: FOLDER/NAME_KIND.pt is the export, and
FOLDER/NAME_KIND.expected.pt is as in export_models.py. The weights are random: nothing is downloaded.
Prints a line for each export: its name, number of inputs, head, and kind of output.

The exports take any batch size. Those of Swin, and of the models given a mask, only run on the CPU:
Transformers builds masks on the device of the trace, whatever attn_implementation is.
"""
import functools
import pathlib
import sys
import warnings

import torch
import transformers

from export_models import CLASSES, SAMPLES, expected

SIDE = 32
TOKENS = 8
WORDS = 50


def vision_models():
    """By name: model class, configuration, and the head's path."""
    return {
        "resnet": (
            transformers.ResNetForImageClassification,
            transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1],
                                      layer_type="basic"),
            "classifier.1"),
        "vit": (
            transformers.ViTForImageClassification,
            transformers.ViTConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                                   intermediate_size=32, image_size=SIDE, patch_size=8),
            "classifier"),
        "convnextv2": (
            transformers.ConvNextV2ForImageClassification,
            transformers.ConvNextV2Config(num_stages=2, hidden_sizes=[8, 16], depths=[1, 1],
                                          image_size=SIDE),
            "classifier"),
        "swin": (  # The second block of the first stage has shifted windows.
            transformers.SwinForImageClassification,
            transformers.SwinConfig(image_size=SIDE, patch_size=4, embed_dim=8, depths=[2, 1],
                                    num_heads=[1, 2], window_size=4),
            "classifier"),
        "mobilenetv2": (
            transformers.MobileNetV2ForImageClassification,
            transformers.MobileNetV2Config(image_size=SIDE, depth_multiplier=0.25,
                                           finegrained_output=False),
            "classifier"),
    }


def text_models():
    """Likewise, and how many of token ids, attention mask and token types the model is given."""
    small = dict(vocab_size=WORDS, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                 intermediate_size=32, max_position_embeddings=2 * TOKENS)

    def distilbert():
        return transformers.DistilBertConfig(vocab_size=WORDS, dim=16, n_layers=2, n_heads=2,
                                             hidden_dim=32, max_position_embeddings=2 * TOKENS)

    return {
        "distilbert": (transformers.DistilBertForSequenceClassification, distilbert(),
                       "classifier", 1),
        "distilbert_mask": (transformers.DistilBertForSequenceClassification, distilbert(),
                            "classifier", 2),
        "roberta": (transformers.RobertaForSequenceClassification,
                    transformers.RobertaConfig(**small), "classifier.out_proj", 2),
        "bert": (transformers.BertForSequenceClassification, transformers.BertConfig(**small),
                 "classifier", 3),
    }


def random_text(pad):
    """Samples of different lengths: token ids, attention mask and token types."""
    positions = torch.arange(TOKENS).expand(SAMPLES, TOKENS)
    mask = (positions <= torch.arange(SAMPLES).unsqueeze(1) + 2).long()
    ids = torch.randint(3, WORDS, (SAMPLES, TOKENS))
    return ids * mask + pad * (1 - mask), mask, (positions > 1).long() * mask


def build(model_class, config):
    """A random model with no weight, bias or statistic left at a trivial initial value."""
    config.num_labels = CLASSES
    model = model_class(config)
    with torch.no_grad():
        for parameter in model.parameters():
            scale = parameter[0].numel() ** -0.5 if parameter.dim() > 1 else 0.3
            parameter.add_(scale * torch.randn_like(parameter))
        if config.model_type in ("resnet", "mobilenet_v2"):
            model.train()
            for _ in range(10):  # batch norm statistics
                model(torch.randn(32, 3, SIDE, SIDE))
    return model.eval()


def export(folder, name, model, head, inputs):
    truth = torch.jit.script(
        expected(lambda *args: model(*args)[0], model.get_submodule(head), inputs))
    forward = model.forward
    for kind, return_dict in (("tuple", False), ("dict", True)):
        # Not by config.return_dict: as of transformers 5, ViT, ConvNeXt V2 and Swin fail when it is
        # false, as it reaches their encoders too.
        model.forward = functools.partial(forward, return_dict=return_dict)
        traced = torch.jit.trace(model, inputs, strict=not return_dict)
        torch.jit.save(traced, folder / f"{name}_{kind}.pt")
        torch.jit.save(truth, folder / f"{name}_{kind}.expected.pt")
        print(f"{name}_{kind}: {len(inputs)} input(s), {head}, {kind}")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    for name, (model_class, config, head) in vision_models().items():
        images = torch.randn(SAMPLES, 3, SIDE, SIDE)
        export(folder, name, build(model_class, config), head, (images,))
    for name, (model_class, config, head, count) in text_models().items():
        inputs = random_text(config.pad_token_id)[:count]
        export(folder, name, build(model_class, config), head, inputs)


if __name__ == "__main__":
    main()
