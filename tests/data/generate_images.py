"""Images of every kind as files, and what Pillow makes of them: decoded, and prepared as ImageNet models expect.

Usage: generate_images.py FOLDER
"""

import importlib.resources
import pathlib
import sys

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def picture(height, width):
    """Waves of several lengths under noise: smooth parts and hard edges."""
    generator = np.random.default_rng(height * width)
    y, x = np.mgrid[:height, :width]
    waves = [127 + 90 * np.sin(x / 17 + c) * np.cos(y / (11 + 5 * c)) for c in range(3)]
    edges = 40 * ((x // 9 + y // 7) % 2)
    noise = generator.normal(0, 12, (height, width, 3))
    return Image.fromarray((np.stack(waves, 2) + edges[..., None] + noise).clip(0, 255).astype(np.uint8))


def alpha(height, width):
    return Image.fromarray(np.linspace(0, 255, height * width).reshape(height, width).astype(np.uint8))


def write_all(folder):
    image = picture(375, 500)
    grey = image.convert("L")
    rotated = Image.Exif()
    rotated[0x0112] = 6  # to be turned by a quarter, which convert("RGB") does not do
    image.save(folder / "baseline.jpg")
    image.save(folder / "progressive.jpg", progressive=True, quality=60)
    image.save(folder / "full_chroma.jpg", subsampling=0, quality=95)
    image.save(folder / "half_chroma.jpg", subsampling=1, quality=90)
    image.save(folder / "rotated.jpg", exif=rotated)
    image.convert("CMYK").save(folder / "cmyk.jpg")
    grey.save(folder / "grey.jpg")
    picture(301, 217).save(folder / "odd_sides.jpg")
    picture(90, 160).save(folder / "enlarged.jpg")
    image.save(folder / "rgb.png")
    image.quantize(64).save(folder / "palette.png")
    image.quantize(64).save(folder / "palette_transparent.png", transparency=3)
    grey.convert("1").save(folder / "one_bit.png")
    grey.save(folder / "grey.png")
    Image.merge("LA", (grey, alpha(375, 500))).save(folder / "grey_alpha.png")
    Image.merge("RGBA", (*image.split(), alpha(375, 500))).save(folder / "alpha.png")
    sixteen = np.asarray(grey).astype(np.uint16) * 256 + np.asarray(grey)[::-1]
    Image.fromarray(sixteen).save(folder / "sixteen_bits.png")
    for photograph in ("china.jpg", "flower.jpg"):  # that scikit-learn ships
        content = importlib.resources.files("sklearn.datasets.images").joinpath(photograph).read_bytes()
        (folder / photograph).write_bytes(content)


def decoded(path):
    image = Image.open(path)
    if image.mode == "I;16":  # which convert("RGB") would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def prepared(image):
    """torchvision's Resize(256), CenterCrop(224), ToTensor, Normalize, float32 [3, 224, 224]."""
    width, height = image.size
    short = min(width, height)
    image = image.resize((int(256 * width / short), int(256 * height / short)), Image.Resampling.BILINEAR)
    left, top = (round((side - 224) / 2) for side in image.size)
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224))) / 255
    return ((pixels - MEAN) / STD).transpose(2, 0, 1).astype(np.float32)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_all(folder)
    tensors = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".safetensors":
            continue
        image = decoded(path)
        tensors[path.name + ":decoded"] = np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
        tensors[path.name + ":prepared"] = np.ascontiguousarray(prepared(image))
    save_file(tensors, folder / "expected.safetensors")


if __name__ == "__main__":
    main()
