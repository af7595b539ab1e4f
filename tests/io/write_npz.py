"""Writes NumPy archives of every kind, and beside each a .safetensors of what must be read from it.

    write_npz.py FOLDER

FOLDER/NAME.npz and FOLDER/NAME.safetensors hold the same arrays; FOLDER/text.npz and FOLDER/damaged/
are what the tests' names for them say.
"""
import io
import pathlib
import struct
import sys
import warnings
import zipfile

import numpy as np
from numpy.lib import format as npy
from safetensors.numpy import save_file

DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1"]


def values(dtype, shape, rng):
    """Numbers over the dtype's whole range, as far as int64 holds them."""
    if dtype == "b1":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype[0] == "f":
        return rng.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, min(limits.max, 2**63 - 1), shape, dtype=dtype, endpoint=True)


def variants(rng):
    """Every dtype in every memory order and number of dimensions."""
    for dtype in DTYPES:
        for shape in [(), (0,), (7,), (3, 4), (3, 0, 2), (2, 3, 4, 5)]:
            array = values(dtype, shape, rng)
            name = f"{dtype}_{'x'.join(map(str, shape))}"
            yield name, array
            if len(shape) > 1:
                yield name + "_fortran", np.asfortranarray(array)
                yield name + "_transposed", array.transpose()
                yield name + "_strided", array[::2, ::-1]


def expected(array):
    """The array as the library gives it: C order, u2 and up as int64."""
    native = np.ascontiguousarray(array).reshape(array.shape)
    return native.astype(np.int64) if native.dtype.str[1:] in ("u8", "u4", "u2") else native


def entry(array, version, pickle=False):
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that version 1 would do
        npy.write_array(stream, array, version=version, allow_pickle=pickle)
    return stream.getvalue()


def raw(header, data=b"", magic=b"\x93NUMPY\x01\x00"):
    header = header.encode()
    return magic + struct.pack("<H", len(header)) + header + data


def write(path, entries, compression=zipfile.ZIP_STORED):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that are there twice
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in entries:
                archive.writestr(name, content)


def write_good(folder):
    arrays = dict(variants(np.random.default_rng(0)))
    for version in (1, 2, 3):
        for name, compression in [("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)]:
            path = folder / f"version{version}_{name}.npz"
            write(path, [(f"{key}.npy", entry(value, (version, 0))) for key, value in arrays.items()],
                  compression)
            save_file({key: expected(value) for key, value in arrays.items()},
                      path.with_suffix(".safetensors"))
    for name, save in [("savez", np.savez), ("savez_compressed", np.savez_compressed)]:
        save(folder / f"{name}.npz", **arrays)
        save_file({key: expected(value) for key, value in arrays.items()},
                  folder / f"{name}.safetensors")


def write_text(folder):
    """Arrays of numbers among those of other things."""
    names = np.array(["", "cat", "Mäntel", "日本語", "🐦.jpg", "a\0b"])
    others = {
        "little": names, "big": names.astype(names.dtype.newbyteorder(">")),
        "bytes": np.array([b"", b"cat", b"a\0b"]), "numbers": np.array([7, -8, 9], np.int16),
        "none": np.array([], "<U3"), "matrix": names.reshape(2, 3), "halves": np.array([0.5]),
        "objects": np.array(["cat", 1], object),
        "records": np.array([(1, 2.0)], [("x]'", "i4"), ("y", "f4")]),
        "complex": np.ones(2, np.complex64), "dates": np.array(["2024-01-01"], "M8[D]"),
        "bfloat16": np.zeros(2, "V2"), "bigfloats": np.array([0.5], ">f4"),
    }
    entries = [(f"{key}.npy", entry(value, None, pickle=True)) for key, value in others.items()]
    bad = struct.pack("<2I", ord("a"), 0x110000)
    entries.append(("character.npy", raw("{'descr':'<U2','fortran_order':False,'shape':(1,)}", bad)))
    write(folder / "text.npz", entries + [("README.txt", "no array")])


def write_damaged(folder):
    folder.mkdir(exist_ok=True)

    def header(descr="'<f4'", fortran="False", shape="(2, 3)", end="}"):
        return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, {end}"

    six = bytes(24)
    arrays = {
        "too_few_bytes": raw(header(), bytes(20)),
        "too_many_bytes": raw(header(), bytes(28)),
        "overflow": raw(header(shape="(4294967296, 4294967296, 4)"), six),
        "overflow_of_empty": raw(header(shape="(4294967296, 4294967296, 4, 0)")),
        "size_over_int64": raw(header(shape="(9223372036854775808,)"), six),
        "negative": raw(header(shape="(-2, -3)"), six),
        "dimensions": raw(header(shape="(" + "1," * 65 + ")"), bytes(4)),
        "no_magic": b"\x93NUMPX" + raw(header(), six)[6:],
        "short": b"\x93NUM",
        "version": raw(header(), six, b"\x93NUMPY\x04\x00"),
        "cut_header": raw(header())[:40],
        "cut_length": b"\x93NUMPY\x01\x00\x10",
        "long_header": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**21) + bytes(100),
        "no_dict": raw("[1, 2]", six),
        "no_shape": raw("{'descr': '<f4', 'fortran_order': False}", six),
        "other_key": raw(header(end="'more': 1}"), six),
        "key_of_two_lines": raw("{'\nshape': (6,)}", six),
        "no_end": raw(header(end=""), six),
        "no_bool": raw(header(fortran="0"), six),
        "no_quote": raw("{'descr", six),
        "open_records": raw(header(descr="[('x', '<f4'"), six),
        "no_tuple": raw(header(shape="6"), six),
        "control": raw("{'descr': \n\x01\x02", six),
        "over_int64": entry(np.array([1, 2**63], np.uint64), None),
        "unknown_dtype": raw(header(descr="'<f9'"), six),
    }
    for name, content in arrays.items():
        write(folder / f"{name}.npz", [("x.npy", content)])
    good = entry(np.arange(1000, dtype=np.int32), None)
    write(folder / "twice.npz", [("x.npy", good), ("x.npy", good)])
    write(folder / "bzip2.npz", [("x.npy", good)], zipfile.ZIP_BZIP2)
    (folder / "no_zip.npz").write_bytes(b"no archive" * 10)
    (folder / "empty_file.npz").write_bytes(b"")
    write(folder / "empty_archive.npz", [])

    for name, compression in [("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)]:
        write(folder / "whole.npz", [("x.npy", good)], compression)
        whole = (folder / "whole.npz").read_bytes()
        (folder / f"cut_{name}.npz").write_bytes(whole[:len(whole) // 2])
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 0x10  # amid the array
        (folder / f"flipped_{name}.npz").write_bytes(flipped)
        directory = whole.rindex(b"PK\x01\x02")  # its record of the only entry
        lying = bytearray(whole)
        lying[directory + 24:directory + 28] = struct.pack("<I", len(good) + 4)
        (folder / f"claims_more_{name}.npz").write_bytes(lying)
        lying[directory + 24:directory + 28] = struct.pack("<I", 2**32 - 2)
        (folder / f"claims_much_{name}.npz").write_bytes(lying)
        for label, count in [("ends_early", 1001), ("goes_on", 999)]:
            array = good.replace(b"(1000,)", f"({count:4},)".encode())
            write(folder / "whole.npz", [("x.npy", array)], compression)
            lying = bytearray((folder / "whole.npz").read_bytes())
            directory = lying.rindex(b"PK\x01\x02")
            lying[directory + 24:directory + 28] = struct.pack("<I", len(array) + 4 * (count - 1000))
            (folder / f"{label}_{name}.npz").write_bytes(lying)
        (folder / "whole.npz").unlink()


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_good(folder)
    write_text(folder)
    write_damaged(folder / "damaged")


if __name__ == "__main__":
    main()
