"""
foolbox's DDN attack on an MLP: python ddn.py FILE HIDDEN COUNT ACTIVATION

FILE holds little-endian float32: kernels [in, out] and biases of two layers, then COUNT images of 784 pixels. Every line on standard
input is a number of steps: one attack is run, and the answer has the l2 distance of each image's adversarial point.
"""

import json
import sys
import time

import foolbox
import numpy as np
import torch

path, hidden, count, activation = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(1)
values = torch.from_numpy(np.fromfile(path, dtype="<f4"))
w1, b1, w2, b2, x = values.split([784 * hidden, hidden, hidden * 10, 10, count * 784])

first, readout = torch.nn.Linear(784, hidden), torch.nn.Linear(hidden, 10)
with torch.no_grad():
    first.weight.copy_(w1.view(784, hidden).T)
    first.bias.copy_(b1)
    readout.weight.copy_(w2.view(hidden, 10).T)
    readout.bias.copy_(b2)
functions = {"relu": torch.nn.ReLU, "gelu": torch.nn.GELU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}
model = torch.nn.Sequential(first, functions[activation](), readout).eval()
samples = x.view(count, 784)
labels = model(samples).argmax(1)
attacked = foolbox.PyTorchModel(model, bounds=(0, 1))

print(json.dumps({"ready": f"foolbox {foolbox.__version__}, PyTorch {torch.__version__}"}), flush=True)
for line in sys.stdin:
    torch.manual_seed(0)
    begin = time.perf_counter()
    points, _, found = foolbox.attacks.DDNAttack(steps=int(line))(attacked, samples, labels, epsilons=None)
    distances = torch.where(found, (points - samples).norm(dim=1), torch.inf).tolist()
    print(json.dumps({"seconds": time.perf_counter() - begin, "distances": [min(d, 1e30) for d in distances]}), flush=True)
