"""Training crops of JPEG folders by torchvision: ImageFolder in a DataLoader with workers.

Usage: image_folder.py SIZE WORKERS BATCH FOLDER...
Every line on standard input is one timed pass over all images of all folders.
"""

import json
import sys
import time

import torch
import torchvision
from torch.utils.data import ConcatDataset, DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

size, workers, batch = (int(word) for word in sys.argv[1:4])
recipe = transforms.Compose([
    transforms.RandomResizedCrop(size),
    transforms.RandomHorizontalFlip(),
    transforms.ToTensor(),
    transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
])
torch.set_num_threads(1)
torch.manual_seed(0)
images = ConcatDataset([ImageFolder(folder, recipe) for folder in sys.argv[4:]])
loader = DataLoader(images, batch_size=batch, shuffle=True, num_workers=workers, persistent_workers=True)
for _ in loader:
    pass
name = f"torchvision {torchvision.__version__} ImageFolder, {workers} workers"
print(json.dumps({"ready": name, "images": len(images)}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    for _ in loader:
        pass
    print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
