"""Networks in PyTorch with torchvision's names, evaluated on weights of Weir, or written for Weir to evaluate.

Every line on standard input is a task: {"task": "evaluate" or "write", "network": …, "weights": FILE, "inputs": FILE}; both files are
safetensors, the inputs a tensor 'x'. A network is as in networks.py. To evaluate loads strictly and answers with the logits; to write makes a network
of random weights and statistics, writes all of its state and answers with its logits.
"""

import json
import sys
import time

import safetensors_file
import torch
import torchvision
from networks import made
from torch import nn

torch.set_num_threads(2)


def perturb(model):
    """What batch normalization begins with would hide a mix-up of its parts."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.7, 1.3)
                module.bias.uniform_(-0.3, 0.3)
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 2)
                module.num_batches_tracked.fill_(100)


by = f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}, {safetensors_file.by}"
print(json.dumps({"ready": by}), flush=True)
for line in sys.stdin:
    begin = time.perf_counter()
    task = json.loads(line)
    torch.manual_seed(0)
    model = made(task["network"]).eval()
    answer = {}
    if task["task"] == "evaluate":
        keys = model.load_state_dict(safetensors_file.read(task["weights"]), strict=False)
        answer = {"missing": keys.missing_keys, "unexpected": keys.unexpected_keys}
    else:
        perturb(model)
        safetensors_file.write(model.state_dict(), task["weights"])
    with torch.no_grad():
        logits = model(safetensors_file.read(task["inputs"])["x"])
    answer |= {"logits": logits.flatten().tolist(), "seconds": time.perf_counter() - begin}
    print(json.dumps(answer), flush=True)
