"""What Pillow makes of small files of every kind that Weir reads: the file and Pillow's RGB, base64, in pillow.json.

    python make.py > pillow.json
"""
import base64, io, json, struct, sys
import numpy as np
import PIL
from PIL import Image

H, W = 7, 5
y, x = np.mgrid[0:H, 0:W]
RGB = np.stack([x * 40 + y * 3, y * 30, 255 - x * 20 - y * 10], -1).astype("uint8")
ALPHA = (x * 60).astype("uint8")
rgb, rgba = Image.fromarray(RGB), Image.fromarray(np.concatenate([RGB, ALPHA[..., None]], -1), "RGBA")
gray, palette = rgb.convert("L"), rgb.quantize(16)


def saved(image, kind, **how):
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def top_down(bmp):
    """The rows of a BMP from above: its height is negative."""
    start, height = struct.unpack_from("<I", bmp, 10)[0], struct.unpack_from("<i", bmp, 22)[0]
    stride = (len(bmp) - start) // height
    rows = [bmp[start + i * stride : start + (i + 1) * stride] for i in range(height)]
    return bmp[:22] + struct.pack("<i", -height) + bmp[26:start] + b"".join(reversed(rows))


def partial_gif(transparency):
    """A first frame that covers a part of its screen."""
    whole = saved(palette, "GIF", **({} if transparency is None else {"transparency": transparency}))
    at = whole.index(b"\x2c\x00\x00\x00\x00")
    screen = struct.pack("<HH", W + 2, H + 3)
    return whole[:6] + screen + whole[10:at] + b"\x2c" + struct.pack("<HH", 1, 2) + whole[at + 5 :]


def frames(kind, **how):
    other = Image.fromarray(255 - RGB)
    return saved(rgb, kind, save_all=True, append_images=[other], **how)


files = {
    "bmp": saved(rgb, "BMP"),
    "bmp gray": saved(gray, "BMP"),
    "bmp of two colors": saved(rgb.convert("1"), "BMP"),
    "bmp of 16 colors in 8 bits": saved(palette, "BMP"),
    "bmp with alpha": saved(rgba, "BMP"),
    "bmp from above": top_down(saved(rgb, "BMP")),
    "gif": saved(palette, "GIF"),
    "gif, the first color transparent": saved(palette, "GIF", transparency=0),
    "gif, the seventh color transparent": saved(palette, "GIF", transparency=7),
    "gif interlaced, transparent": saved(palette, "GIF", transparency=3, interlace=1),
    "gif of two frames, transparent": saved(palette, "GIF", transparency=2, save_all=True, append_images=[palette.rotate(180)]),
    "gif, a part of its screen": partial_gif(None),
    "gif, a part of its screen, transparent": partial_gif(4),
    "png gray": saved(gray, "PNG"),
    "png of two colors": saved(rgb.convert("1"), "PNG"),
    "png of a palette": saved(palette, "PNG"),
    "png of a palette, one transparent": saved(palette, "PNG", transparency=3),
    "png of a palette, each with its alpha": saved(palette, "PNG", transparency=bytes(range(0, 160, 10))),
    "png of colors, one transparent": saved(rgb, "PNG", transparency=tuple(int(v) for v in RGB[2, 2])),
    "png gray, one transparent": saved(gray, "PNG", transparency=int(np.asarray(gray)[2, 2])),
    "png with alpha": saved(rgba, "PNG"),
    "png gray with alpha": saved(rgba.convert("LA"), "PNG"),
    "png animated": frames("PNG"),
    "webp lossless": saved(rgb, "WEBP", lossless=True),
    "webp lossless with alpha": saved(rgba, "WEBP", lossless=True, exact=True),
    "webp lossy": saved(rgb, "WEBP", quality=80),
    "webp animated": frames("WEBP", lossless=True),
    "tiff": saved(rgb, "TIFF"),
    "tiff, LZW": saved(rgb, "TIFF", compression="tiff_lzw"),
    "tiff gray": saved(gray, "TIFF"),
    "tiff of a palette": saved(palette, "TIFF"),
    "tiff of two colors, group 4": saved(rgb.convert("1"), "TIFF", compression="group4"),
    "tiff with alpha": saved(rgba, "TIFF"),
    "tiff of two pages": frames("TIFF"),
    "jpeg": saved(rgb, "JPEG", quality=90),
    "jpeg gray": saved(gray, "JPEG", quality=90),
    "jpeg of RGB without a transform": saved(rgb, "JPEG", quality=90, keep_rgb=True),
    "jpeg, colors sampled at a half": saved(rgb, "JPEG", quality=90, subsampling="4:2:0"),
    "jpeg, colors sampled at a half across": saved(rgb, "JPEG", quality=90, subsampling="4:2:2"),
    "jpeg progressive": saved(rgb, "JPEG", quality=90, progressive=True),
    "jpeg with restarts": saved(rgb, "JPEG", quality=90, restart_marker_blocks=1),
    "avif lossless": saved(rgb, "AVIF", quality=100, subsampling="4:4:4"),
}


def text(data):
    return base64.b64encode(data).decode()


rows = {}
for name, data in files.items():
    image = Image.open(io.BytesIO(data)).convert("RGB")
    rows[name] = {"file": text(data), "height": image.height, "width": image.width, "values": text(np.asarray(image).tobytes())}
json.dump({"pillow": PIL.__version__, "files": rows}, sys.stdout, indent=0)
print()
