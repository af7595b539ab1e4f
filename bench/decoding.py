#!/usr/bin/env python3
"""Decoding and resizing, images per second on one core: this library against Pillow, in turns.

    decoding.py PROGRAM [--images N] [--rounds R]

PROGRAM is build/release/bench/decode_images. The images are JPEG files of 375 × 500 pixels, quality 90;
both decode, resize the short side to 256, cut 224 × 224 from the centre and normalise. Needs NumPy and
Pillow (not Pillow-SIMD).
"""
import argparse
import os
import pathlib
import subprocess
import tempfile
import time

import numpy as np
from PIL import Image

from extraction import write_data

MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def with_pillow(path):
    image = Image.open(path).convert("RGB")
    width, height = image.size
    short = min(width, height)
    image = image.resize((256 * width // short, 256 * height // short), Image.BILINEAR)
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    image = image.crop((left, top, left + 224, top + 224))
    return (np.asarray(image, dtype=np.float32) / 255 - MEAN) / STD


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder, options.images, (375, 500))
        (folder / "metadata.csv").unlink()
        ours, theirs = [], []
        for _ in range(options.rounds):
            start = time.perf_counter()
            for path in sorted(folder.iterdir()):
                with_pillow(path)
            theirs.append(options.images / (time.perf_counter() - start))
            done = subprocess.run([options.program, folder, "1"], check=True, capture_output=True, text=True,
                                  env={**os.environ, "OMP_NUM_THREADS": "1"})
            ours.append(options.images / float(done.stdout))
    middle = options.rounds // 2
    ours, theirs = sorted(ours)[middle], sorted(theirs)[middle]
    print(f"this library {ours:.0f} images/s, Pillow {theirs:.0f} images/s: ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
