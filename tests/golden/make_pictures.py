#!/usr/bin/env python3
"""Makes the pictures of tests/zoo/picture_formats_test.cpp, and what is in them.

    python3 tests/golden/make_pictures.py

needs numpy, Pillow (written with 13.0) and libjpeg-turbo's cjpeg and djpeg (2.1.5, Debian's
libjpeg-turbo-progs). It writes pictures/: PNG files of every colour type and depth, made here and
checked with Pillow where it keeps all their bits; JPEG files that cjpeg and Pillow write; and
pictures/expected.safetensors with their pixels, (channels, height, width): those that the PNG files
were made of, and those that djpeg reads.
"""
import io
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).resolve().parent / "pictures"
OUT.mkdir(exist_ok=True)
for old in OUT.iterdir():
    old.unlink()
random = np.random.default_rng(20261130)
expected = {}


def keep(name, data, pixels):
    """A file, and its pixels (height, width[, 3])."""
    (OUT / name).write_bytes(data)
    pixels = np.asarray(pixels, dtype=np.uint8)
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    expected[name] = np.ascontiguousarray(planes)


# ----------------------------------------------------------------------------------------------- PNG
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def packed(row, depth):
    """The bytes of a row of samples."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.ravel().astype(np.uint8)).tobytes()


def filtered(rows, step, kinds):
    """The rows with their filters, `kinds` in turn."""
    out, above = b"", bytes(len(rows[0]))
    for number, row in enumerate(rows):
        kind = kinds[number % len(kinds)]
        line = bytearray([kind])
        for i, byte in enumerate(row):
            a, c = (row[i - step], above[i - step]) if i >= step else (0, 0)
            b = above[i]
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line.append((byte - (0, a, b, (a + b) // 2, nearest)[kind]) & 255)
        out += line
        above = row
    return out


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples, depth, colour, interlaced=False, kinds=(0, 1, 2, 3, 4), chunks=(), parts=1,
        level=9, strategy=zlib.Z_DEFAULT_STRATEGY):
    """A PNG file of samples (height, width, samples of a pixel)."""
    height, width, _ = samples.shape
    step = max(1, SAMPLES[colour] * depth // 8)
    data = b""
    for top, left, down, right in PASSES if interlaced else [(0, 0, 1, 1)]:
        part = samples[top::down, left::right]
        if part.size:
            data += filtered([packed(row.ravel(), depth) for row in part], step, kinds)
    packer = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy)
    data = packer.compress(data) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    size = -(-len(data) // parts)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks) +
            b"".join(chunk(b"IDAT", data[i:i + size]) for i in range(0, len(data), size)) +
            chunk(b"IEND", b""))


def to_bytes(samples, depth):
    most = 2**depth - 1
    return (samples.astype(np.int64) * 255 + most // 2) // most


def on_white(colours, alpha):
    alpha = np.asarray(alpha, dtype=np.int64)
    return (colours.astype(np.int64) * alpha + 255 * (255 - alpha) + 127) // 255


def smooth(height, width, count, most):
    """Samples that change slowly, with noise: filters and repeats have something to find."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(count), indexing="ij")
    wave = 0.5 + 0.35 * np.sin(y / 3 + c) * np.cos(x / 4 + 2 * c) + 0.1 * random.random(y.shape)
    return np.round(wave.clip(0, 1) * most).astype(np.int64)


def check(data, pixels):
    """That Pillow reads the same, of files without transparency and of 8 bits."""
    image = Image.open(io.BytesIO(data))
    assert np.array_equal(np.asarray(image.convert("L" if pixels.ndim == 2 else "RGB")), pixels)


for colour, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
    for depth in depths:
        for interlaced in (False, True):
            samples = smooth(11, 13, SAMPLES[colour], 2**depth - 1)
            chunks = ()
            if colour == 3:
                colours = random.integers(0, 256, (2**depth, 3))
                chunks = ((b"PLTE", colours.astype(np.uint8).tobytes()),)
                pixels = colours[samples[..., 0]]
            else:
                pixels = to_bytes(samples, depth)
                if colour in (4, 6):
                    pixels = on_white(pixels[..., :-1], pixels[..., -1:])
                if colour in (0, 4):
                    pixels = pixels[..., 0]
            data = png(samples, depth, colour, interlaced, chunks=chunks)
            if colour in (0, 2, 3) and depth <= 8:
                check(data, pixels)
            keep(f"type{colour}-{depth}{'-interlaced' if interlaced else ''}.png", data, pixels)

# A transparent colour, and a palette with some that are half transparent.
samples = smooth(5, 9, 3, 255)
key = samples[2, 3]
visible = np.where((samples == key).all(-1)[..., None], 0, 255)
keep("key-rgb.png", png(samples, 8, 2, chunks=((b"tRNS", struct.pack(">HHH", *key)),)),
     on_white(samples, visible))
samples = smooth(5, 9, 1, 15)
key = int(samples[1, 1, 0])
keep("key-grey4.png", png(samples, 4, 0, chunks=((b"tRNS", struct.pack(">H", key)),)),
     on_white(to_bytes(samples, 4), np.where(samples == key, 0, 255))[..., 0])
colours, alphas = random.integers(0, 256, (16, 3)), np.full(16, 255)
alphas[:3] = 0, 100, 200
keep("palette-alpha.png",
     png(samples, 4, 3, chunks=((b"PLTE", colours.astype(np.uint8).tobytes()),
                                (b"tRNS", bytes([0, 100, 200])))),
     on_white(colours[samples[..., 0]], alphas[samples[..., 0]][..., None]))

# Sizes at which passes of interlacing are empty.
for height, width in (1, 1), (2, 3), (5, 1), (1, 5), (8, 8):
    samples = smooth(height, width, 3, 255)
    keep(f"interlaced-{height}x{width}.png", png(samples, 8, 2, True), samples)

# Every way to compress, in one part and in many.
samples = np.kron(smooth(6, 10, 1, 255), np.ones((8, 8, 1), dtype=np.int64))
for name, level, strategy in (("stored", 0, zlib.Z_DEFAULT_STRATEGY), ("fixed", 9, zlib.Z_FIXED),
                              ("huffman", 9, zlib.Z_HUFFMAN_ONLY), ("runs", 9, zlib.Z_RLE),
                              ("fast", 1, zlib.Z_DEFAULT_STRATEGY)):
    keep(f"deflate-{name}.png", png(samples, 8, 0, kinds=(0,), level=level, strategy=strategy),
         samples[..., 0])
keep("parts.png", png(samples, 8, 0, kinds=(4,), parts=7,
                      chunks=((b"gAMA", struct.pack(">I", 45455)), (b"tEXt", b"Title\0of nothing"))),
     samples[..., 0])

# ---------------------------------------------------------------------------------------------- JPEG


def djpeg(data):
    """What libjpeg-turbo reads, with its own settings."""
    pnm = subprocess.run(["djpeg", "-pnm"], input=data, capture_output=True, check=True).stdout
    return np.asarray(Image.open(io.BytesIO(pnm)))


def cjpeg(pixels, *options):
    pnm = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(pnm, "PPM")
    return subprocess.run(["cjpeg", *options], input=pnm.getvalue(), capture_output=True,
                          check=True).stdout


def photo(height, width):
    return smooth(height, width, 3, 255).astype(np.uint8)


for name, size, options in (
        ("444", (19, 21), ("-quality", "90", "-sample", "1x1")),
        ("422", (19, 21), ("-quality", "85", "-sample", "2x1")),
        ("420", (19, 21), ("-quality", "80", "-sample", "2x2")),
        ("440", (19, 21), ("-quality", "80", "-sample", "1x2")),
        ("411", (19, 37), ("-quality", "80", "-sample", "4x1")),
        ("410", (19, 37), ("-quality", "80", "-sample", "4x2")),
        ("420-even", (32, 32), ("-quality", "50", "-sample", "2x2")),
        ("420-1x1", (1, 1), ("-quality", "80", "-sample", "2x2")),
        ("420-2x4", (2, 4), ("-quality", "80", "-sample", "2x2")),
        ("420-5x3", (5, 3), ("-quality", "80", "-sample", "2x2")),
        ("422-3x6", (3, 6), ("-quality", "80", "-sample", "2x1")),
        ("rgb", (11, 13), ("-quality", "90", "-rgb")),
        ("grey", (19, 21), ("-quality", "75", "-grayscale")),
        ("grey-2x2", (19, 21), ("-quality", "75", "-grayscale", "-sample", "2x2")),
        ("worst", (19, 21), ("-quality", "1",)),
        ("best", (19, 21), ("-quality", "100", "-sample", "1x1")),
        ("16-bit-tables", (19, 21), ("-quality", "2", "-sample", "1x1")),
        ("restarts", (33, 35), ("-quality", "80", "-restart", "2B")),
        ("optimised", (19, 21), ("-quality", "80", "-optimize")),
        ("progressive", (33, 35), ("-quality", "80", "-progressive")),
        ("progressive-444", (19, 21), ("-quality", "95", "-progressive", "-sample", "1x1")),
        ("progressive-grey", (33, 35), ("-quality", "85", "-progressive", "-grayscale")),
        ("progressive-restarts", (33, 35), ("-quality", "80", "-progressive", "-restart", "1"))):
    data = cjpeg(photo(*size), *options)
    keep(name + ".jpg", data, djpeg(data))

# Scans of one component each, of a picture that is not progressive; and many small refinements.
for name, script, options in (
        ("scans", "0; 2; 1;", ()),
        ("refined", "0,1,2: 0-0, 0, 3; 0,1,2: 0-0, 3, 2; 0,1,2: 0-0, 2, 1; 0,1,2: 0-0, 1, 0;"
         " 1: 1-63, 0, 2; 2: 1-63, 0, 2; 0: 1-2, 0, 3; 0: 3-63, 0, 3; 0: 1-63, 3, 2; 0: 1-63, 2, 1; 1: 1-63, 2, 1;"
         " 2: 1-63, 2, 1; 0: 1-63, 1, 0; 1: 1-63, 1, 0; 2: 1-63, 1, 0;", ("-quality", "97"))):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(script)
        file.flush()
        data = cjpeg(photo(29, 35), *options, "-scans", file.name)
    keep(name + ".jpg", data, djpeg(data))

# Flat areas: blocks that are empty, in runs.
flat = np.full((64, 200, 3), 120, dtype=np.uint8)
flat[20:30, 50:60] = 30, 200, 90
data = cjpeg(flat, "-quality", "60", "-progressive")
keep("flat.jpg", data, djpeg(data))

# Every orientation. Pillow turns what djpeg reads.
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(photo(6, 10)).save(file, "JPEG", quality=80, exif=exif)
    stored = Image.fromarray(djpeg(file.getvalue()))
    stored.getexif()[0x0112] = orientation
    keep(f"orientation{orientation}.jpg", file.getvalue(), np.asarray(ImageOps.exif_transpose(stored)))
samples = smooth(3, 5, 3, 255)
tiff = b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
keep("orientation.png", png(samples, 8, 2, chunks=((b"eXIf", tiff),)), np.rot90(samples, -1))

save_file(expected, OUT / "expected.safetensors")
