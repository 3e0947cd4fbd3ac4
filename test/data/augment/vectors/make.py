"""Makes ops.json and chain.json: see README.md. Usage: make.py draws.json"""

import base64
import json
import sys

import torch
import torchvision.transforms.v2.functional as F

torch.manual_seed(0)


def image(height, width, extremes=0):
    """Smooth colors with noise and an edge, and columns of pixels whose channels are 0, 128, 255 or alike."""
    coarse = torch.rand(1, 3, 5, 5) * 255
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0]
    smooth[:, height // 3 :, width // 2 :] = 255 - smooth[:, height // 3 :, width // 2 :]
    values = (smooth + 12 * torch.randn(3, height, width)).clamp(0, 255)
    if extremes:
        corners = torch.tensor([0.0, 127.0, 128.0, 255.0])[torch.randint(4, (3, height, extremes))]
        corners[:, :, -1] = corners[:1, :, -1]
        values[:, :, -extremes:] = corners
    return values.to(torch.uint8)


def text(tensor):
    return base64.b64encode(bytes(tensor.permute(1, 2, 0).contiguous().flatten().tolist())).decode()


def entry(tensor):
    return {"shape": [tensor.shape[1], tensor.shape[2], tensor.shape[0]], "values": text(tensor)}


images = {"small": image(20, 24, 6), "wide": image(37, 61), "gray": image(9, 7)[:1]}
ORDER = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]
FUNCTIONS = {
    "brightness": F.adjust_brightness,
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "hue": F.adjust_hue,
    "grayscale": lambda x: F.rgb_to_grayscale(x, num_output_channels=3),
    "solarize": F.solarize,
    "blur": lambda x, kernel, sigma: F.gaussian_blur(x, [kernel, kernel], [sigma, sigma]),
    "part": lambda x, top, left, height, width, to: F.resized_crop(x, top, left, height, width, to, antialias=True),
    "resize": lambda x, size: F.resize(x, size, antialias=True),
    "centerCrop": F.center_crop,
}
LISTED = [
    *[("brightness", "small", [f]) for f in (0.63, 1.4)],
    *[("contrast", name, [f]) for name in ("small", "gray") for f in (0.2, 1.37)],
    *[("saturation", "small", [f]) for f in (0.2, 1.0, 1.8)],
    *[("hue", "small", [f]) for f in (-0.5, -0.1, 0.0, 0.037, 0.31)],
    ("grayscale", "small", []),
    ("solarize", "small", [128]),
    *[("blur", "small", a) for a in ([3, 0.4], [13, 1.1], [13, 2.0], [23, 2.0], [13, 0.1])],
    ("blur", "gray", [5, 1.5]),
    ("part", "small", [3, 5, 11, 9, [32, 32]]),
    ("part", "small", [0, 0, 20, 24, [32, 32]]),
    ("part", "wide", [2, 7, 31, 50, [16, 24]]),
    ("part", "wide", [10, 20, 12, 40, [19, 19]]),
    ("part", "wide", [36, 60, 1, 1, [4, 3]]),
    ("part", "wide", [5, 5, 2, 3, [7, 7]]),
    ("resize", "wide", [[20]]),
    ("resize", "wide", [[16, 16]]),
    ("resize", "gray", [[5]]),
    ("centerCrop", "wide", [[22, 30]]),
    ("centerCrop", "small", [[27, 18]]),
    ("centerCrop", "gray", [[4, 4]]),
]
cases = []
for op, name, args in LISTED:
    out = FUNCTIONS[op](images[name], *args)
    cases.append({"op": op, "args": args, "image": name, **entry(out)})
with open("ops.json", "w") as file:
    json.dump({"images": {k: entry(v) for k, v in images.items()}, "cases": cases}, file)


def chain(x, draws):
    for d in draws:
        op = d["op"]
        if op == "randomResizedCrop":
            x = F.resized_crop(x, d["top"], d["left"], d["height"], d["width"], [32, 32], antialias=True)
        elif op == "horizontalFlip":
            x = F.horizontal_flip(x)
        elif op == "colorJitter":
            for which in d["order"]:
                x = ORDER[which](x, d["factors"][which])
        elif op == "randomGrayscale":
            x = F.rgb_to_grayscale(x, num_output_channels=3)
        elif op == "gaussianBlur":
            x = F.gaussian_blur(x, [d["kernel"]] * 2, [d["sigma"]] * 2)
        elif op == "solarize":
            x = F.solarize(x, 128)
        else:
            raise ValueError(op)
    return x


with open(sys.argv[1]) as file:
    draws = json.load(file)
pictures = [image(32, 32) for _ in draws[0]]
views = [[text(chain(x, d)) for x, d in zip(pictures, view)] for view in draws]
with open("chain.json", "w") as file:
    json.dump({"images": [text(x) for x in pictures], "views": views}, file)
