"""Two Barlow Twins views of CIFAR-10-sized images by torchvision, in a DataLoader with workers.

Usage: augment.py MODE IMAGES WORKERS
MODE is pil (transforms on Pillow's images, the authors' way) or tensor (transforms.v2 on uint8 tensors, image by image).
Every line on standard input is one timed pass over all images.
"""

import json
import random
import sys
import time

import torch
import torchvision
from PIL import Image, ImageFilter, ImageOps
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as v1
from torchvision.transforms import v2

mode, count, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
torch.manual_seed(0)
steps = torch.randint(-30, 31, (count, 3072))
images = (128 + steps.cumsum(1)).clamp(0, 255).to(torch.uint8).view(count, 32, 32, 3)


class Blur:
    def __init__(self, p):
        self.p = p

    def __call__(self, image):
        if random.random() >= self.p:
            return image
        return image.filter(ImageFilter.GaussianBlur(random.random() * 1.9 + 0.1))


class Solarise:
    def __init__(self, p):
        self.p = p

    def __call__(self, image):
        return ImageOps.solarize(image) if random.random() < self.p else image


def recipe(blurred, solarised):
    if mode == "pil":
        return v1.Compose([
            v1.RandomResizedCrop(32),
            v1.RandomHorizontalFlip(),
            v1.RandomApply([v1.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
            v1.RandomGrayscale(p=0.2),
            Blur(blurred),
            Solarise(solarised),
            v1.ToTensor(),
            v1.Normalize(mean, std),
        ])
    return v2.Compose([
        v2.RandomResizedCrop(32, antialias=True),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
        v2.RandomGrayscale(p=0.2),
        v2.RandomApply([v2.GaussianBlur(13, (0.1, 2.0))], p=blurred),
        v2.RandomSolarize(128, p=solarised),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(mean, std),
    ])


class Views(Dataset):
    def __init__(self):
        self.recipes = [recipe(1.0, 0.0), recipe(0.1, 0.2)]
        self.images = [Image.fromarray(i.numpy()) for i in images] if mode == "pil" else list(images.permute(0, 3, 1, 2))

    def __len__(self):
        return count

    def __getitem__(self, i):
        return [each(self.images[i]) for each in self.recipes]


torch.set_num_threads(1)
loader = DataLoader(Views(), batch_size=256, shuffle=True, num_workers=workers, persistent_workers=True)
for _ in loader:
    pass
print(json.dumps({"ready": f"torchvision {torchvision.__version__}, {workers} workers, {mode}"}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    for _ in loader:
        pass
    print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
