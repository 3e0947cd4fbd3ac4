"""Two Barlow Twins views of CIFAR-10 in torchvision, in a DataLoader with worker processes of one thread each.

Usage: augment.py KIND FILE… IMAGES BATCH WORKERS, where KIND is pil (transforms on Pillow images, as the authors train) or
tensor (transforms v2 on tensors of uint8), and each FILE is one of CIFAR-10's binary files, plain or gzip.
Every line on standard input is one timed round: IMAGES images, two views each, normalized float32 tensors in batches.
Workers stay; the DataLoader of the next round is asked for nothing until then.
"""

import gzip
import json
import sys
import time

import numpy as np
import torch
import torchvision
from PIL import Image, ImageFilter, ImageOps
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as v1
from torchvision.transforms import v2

kind, *files, images, batch, workers = sys.argv[1:]
images, batch, workers = int(images), int(batch), int(workers)
torch.set_num_threads(1)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def records(file):
    with (gzip.open if file.endswith(".gz") else open)(file, "rb") as stream:
        return np.frombuffer(stream.read(), np.uint8).reshape(-1, 3073)[:, 1:].reshape(-1, 3, 32, 32)


class Blur:
    def __init__(self, probability):
        self.probability = probability

    def __call__(self, image):
        if torch.rand(1).item() >= self.probability:
            return image
        return image.filter(ImageFilter.GaussianBlur(0.1 + 1.9 * torch.rand(1).item()))


class Solarize:
    def __init__(self, probability):
        self.probability = probability

    def __call__(self, image):
        return ImageOps.solarize(image) if torch.rand(1).item() < self.probability else image


def view(blurred, solarized):
    jitter = dict(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)
    if kind == "pil":
        return v1.Compose(
            [
                v1.RandomResizedCrop(32),
                v1.RandomHorizontalFlip(0.5),
                v1.RandomApply([v1.ColorJitter(**jitter)], 0.8),
                v1.RandomGrayscale(0.2),
                Blur(blurred),
                Solarize(solarized),
                v1.ToTensor(),
                v1.Normalize(MEAN, STD),
            ]
        )
    return v2.Compose(
        [
            v2.RandomResizedCrop(32, antialias=True),
            v2.RandomHorizontalFlip(0.5),
            v2.RandomApply([v2.ColorJitter(**jitter)], 0.8),
            v2.RandomGrayscale(0.2),
            v2.RandomApply([v2.GaussianBlur(13, (0.1, 2.0))], blurred),
            v2.RandomSolarize(128, solarized),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )


class Views(Dataset):
    def __init__(self):
        planes = np.concatenate([records(file) for file in files])[:images]
        self.tensors = torch.from_numpy(planes.copy())
        self.pictures = planes.transpose(0, 2, 3, 1).copy()
        self.views = view(1.0, 0.0), view(0.1, 0.2)

    def __len__(self):
        return len(self.tensors)

    def __getitem__(self, index):
        image = Image.fromarray(self.pictures[index]) if kind == "pil" else self.tensors[index]
        return tuple(view(image) for view in self.views)


data = Views()
assert len(data) == images, f"{files} hold fewer than {images} images"
loader = DataLoader(
    data, batch, shuffle=True, num_workers=workers, persistent_workers=True, worker_init_fn=lambda _: torch.set_num_threads(1)
)
print(json.dumps({"ready": f"torchvision {torchvision.__version__} ({kind}), {workers} workers"}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    count = sum(len(first) for first, _ in loader)
    seconds = time.perf_counter() - begin
    assert count == images
    print(json.dumps({"seconds": seconds}), flush=True)
