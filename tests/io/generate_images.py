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
    write_webp(folder, image)
    write_gif(folder, image)
    write_bmp(folder, image)
    write_tiff(folder, image)
    for photograph in ("china.jpg", "flower.jpg"):  # that scikit-learn ships
        content = importlib.resources.files("sklearn.datasets.images").joinpath(photograph).read_bytes()
        (folder / photograph).write_bytes(content)


def write_webp(folder, image):
    transparent = Image.merge("RGBA", (*image.split(), alpha(375, 500)))
    image.save(folder / "lossy.webp")
    image.save(folder / "lossless.webp", lossless=True)
    transparent.save(folder / "alpha.webp", exact=True)
    image.save(folder / "animated.webp", save_all=True, append_images=[image.rotate(90)], duration=100)


def write_gif(folder, image):
    palette = image.quantize(64)
    palette.save(folder / "plain.gif", interlace=False)
    palette.save(folder / "interlaced.gif", interlace=True)
    palette.save(folder / "transparent.gif", transparency=3)
    palette.save(folder / "animated.gif", save_all=True, append_images=[image.rotate(90).quantize(64)])
    image.convert("L").save(folder / "grey.gif")
    content = bytearray((folder / "transparent.gif").read_bytes())
    content[6:10] = (600).to_bytes(2, "little") + (400).to_bytes(2, "little")  # a canvas wider than its frame
    (folder / "wide_canvas.gif").write_bytes(content)


def write_bmp(folder, image):
    picture(301, 217).save(folder / "rgb.bmp")  # rows that need padding
    image.quantize(64).save(folder / "palette.bmp")
    image.quantize(12).save(folder / "few_colours.bmp")
    image.convert("L").save(folder / "grey.bmp")
    image.convert("1").save(folder / "one_bit.bmp")
    Image.merge("RGBA", (*image.split(), alpha(375, 500))).save(folder / "alpha.bmp")


def write_tiff(folder, image):
    grey = image.convert("L")
    sixteen = np.asarray(grey).astype(np.uint16) * 256 + np.asarray(grey)[::-1]
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        image.save(folder / f"{compression}.tif", compression=compression)
    image.save(folder / "jpeg.tiff", compression="jpeg", quality=90)
    image.quantize(64).save(folder / "palette.tif")
    grey.save(folder / "grey.tif")
    grey.convert("1").save(folder / "one_bit.tif", compression="group4")
    Image.fromarray(sixteen).save(folder / "sixteen_bits.tif")
    Image.merge("LA", (grey, alpha(375, 500))).save(folder / "grey_alpha.tif")
    Image.merge("RGBA", (*image.split(), alpha(375, 500))).save(folder / "alpha.tif")
    for orientation in range(2, 9):  # which Pillow applies to a TIFF
        picture(301, 217).save(folder / f"orientation_{orientation}.tif", tiffinfo={274: orientation})


def decoded(path):
    image = Image.open(path)
    if image.mode == "I;16":  # which convert("RGB") would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def resized(image):
    """The image by each of Pillow's filters: smaller in one direction, larger in the other."""
    return {
        name: np.ascontiguousarray(np.asarray(image.resize((200, 451), getattr(Image.Resampling, name.upper())))
                                   .transpose(2, 0, 1))
        for name in ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")
    }


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
    save_file(resized(decoded(folder / "rgb.png")), folder / "resized.safetensors")


if __name__ == "__main__":
    main()
