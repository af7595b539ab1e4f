"""timm's classifiers: small ones, with random weights."""

import pytest
import torch
from embed_cases import another_head, error_of, ids_of, logits_of, run

from neurontune import embed_timm, put_head_back

try:
    import timm
    from PIL import Image
except (ImportError, RuntimeError) as missing:  # torchvision of another build: a RuntimeError
    pytest.skip(f"timm: {missing}", allow_module_level=True)


def make(name="resnet10t", **settings):
    torch.manual_seed(0)
    return timm.create_model(name, num_classes=2, **settings).eval()


@pytest.fixture(scope="module")
def model():
    return make()


@pytest.fixture(scope="module")
def images():
    return torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def of(embedded, split="val"):
    return embedded.splits[split].embeddings @ embedded.head[0].T + embedded.head[1]


@pytest.mark.parametrize("name, settings, dimensions", [
    ("resnet10t", {}, 512), ("mobilenetv3_small_050", {}, 1024),
    ("vit_tiny_patch16_224", {"img_size": 64, "depth": 2}, 192), ("convnext_atto", {}, 320)])
def test_head_of_embeddings_gives_the_models_logits(name, settings, dimensions, images):
    model = make(name, **settings)
    embedded = embed_timm(model, {"val": (images, [0, 1, 0, 1, 1])}, batch_size=2)
    assert embedded.splits["val"].embeddings.shape == (5, dimensions)
    with torch.no_grad():
        torch.testing.assert_close(of(embedded), model(images), rtol=0, atol=1e-5)


def test_classifier_of_several_layers_is_refused(images):
    with pytest.raises(ValueError, match="expected one Linear layer"):
        embed_timm(make("deit_tiny_distilled_patch16_224", img_size=64, depth=1),
                   {"val": (images, [0] * 5)})
    with pytest.raises(ValueError, match="has no get_classifier"):
        embed_timm(torch.nn.Linear(2, 2), {"val": (images, [0] * 5)})


def test_head_that_was_put_back_predicts(images):
    head = another_head(2, 512)
    model = make()
    embeddings = embed_timm(model, {"val": (images, [0] * 5)}).splits["val"].embeddings
    put_head_back(model, head)
    with torch.no_grad():
        torch.testing.assert_close(model(images), embeddings @ head[0].T + head[1],
                                   rtol=0, atol=1e-4)


@pytest.fixture
def photos(tmp_path):
    """Classes 2 and 10: in order of number, not of character."""
    for split, count in {"train": 3, "val": 2}.items():
        for name in ("class10", "class2"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                Image.effect_noise((48, 40), 90).convert("RGB").save(folder / f"{index}.png")
    return tmp_path / "photos"


@pytest.fixture
def checkpoint(tmp_path, model):
    torch.save(model.state_dict(), tmp_path / "trained.pth")
    return tmp_path / "trained.pth"


def test_command_line_embeds_folders_of_classes(tmp_path, model, photos, checkpoint):
    done = run("timm", "resnet10t", checkpoint, tmp_path / "out", photos)
    assert done.code == 0, done.error
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model),
                                           is_training=False)
    names = ids_of(tmp_path / "out", "val")
    assert names == [f"val/{name}/{index}.png" for name in ("class2", "class10")
                     for index in range(2)]
    images = torch.stack([transform(Image.open(photos / name).convert("RGB")) for name in names])
    with torch.no_grad():
        torch.testing.assert_close(logits_of(tmp_path / "out", "val"), model(images),
                                   rtol=0, atol=1e-4)
    assert (tmp_path / "out/names.json").read_text() == '{"labels": ["class2", "class10"]}\n'


def test_command_line_embeds_lists_of_images(tmp_path, photos, checkpoint):
    for split in ("train", "val"):
        (tmp_path / f"{split}.csv").write_text(
            f"image,label,attribute\nphotos/{split}/class2/0.png,0,1\n"
            f"photos/{split}/class10/0.png,1,0\n")
    done = run("timm", "resnet10t", checkpoint, tmp_path / "out", tmp_path / "train.csv",
               tmp_path / "val.csv")
    assert done.code == 0, done.error
    assert ids_of(tmp_path / "out", "train")[1] == "photos/train/class10/0.png"


def test_faults_of_images_are_one_line(tmp_path, photos, checkpoint):
    arguments = ("timm", "resnet10t", checkpoint, tmp_path / "out", photos)
    (photos / "val/class2/0.png").write_text("no image")
    assert f"{photos}/val/class2/0.png: cannot identify image file" in error_of(*arguments)
    (photos / "val/class3").mkdir()
    (photos / "val/class2/0.png").rename(photos / "val/class3/0.png")
    assert "has a class class3, which train lacks" in error_of(*arguments)
    assert "expected SPLIT/CLASS/ for train and val" in error_of(*arguments[:-1], photos / "val")
    (photos / "test").mkdir()
    assert f"{photos}/test has no images in folders of classes" in error_of(*arguments)
    (photos / "val/class2/1.png").rename(photos / "test/0.png")
    assert f"{photos}/test has images outside of folders of classes" in error_of(*arguments)


@pytest.mark.parametrize("content, message", [
    (None, "train.csv:2: there is no file "), (b"", "a.png: cannot identify image file"),
    (b"\x89PNG", "a.png: ")])
def test_image_that_cannot_be_read_is_one_line(content, message, tmp_path, checkpoint):
    (tmp_path / "train.csv").write_text("image,label\na.png,0\na.png,1\n")
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    assert message in error_of("timm", "resnet10t", checkpoint, tmp_path / "out",
                               tmp_path / "train.csv")


@pytest.mark.parametrize("content", [None, b"", b"junk"])
def test_checkpoint_that_cannot_be_read_is_one_line(content, tmp_path, photos):
    path = tmp_path / "trained.pth"
    if content is not None:
        path.write_bytes(content)
    assert f"error: {path} cannot be loaded: " in error_of("timm", "resnet10t", path,
                                                           tmp_path / "out", photos)


def test_checkpoint_of_another_model_is_one_line(tmp_path, photos):
    torch.save(make("resnet14t").state_dict(), tmp_path / "other.pth")
    assert "state_dict" in error_of("timm", "resnet10t", tmp_path / "other.pth", tmp_path / "out",
                                    photos)
