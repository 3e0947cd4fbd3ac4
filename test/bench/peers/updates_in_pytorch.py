"""Trains networks of Weir's initial weights on Weir's batches in PyTorch, and hands back what they have become.

Every line on standard input is a task: {"network": as in networks.py, "weights": FILE, "batches": FILE, "optimizer", "precision": "float32"
or "float64", "report": [updates], "out": FILE}. The batches are tensors 'x' of [updates, n, …], images with channels last, and 'labels'. The
answer has the losses; FILE then holds the state after each of these updates, as 'UPDATE.NAME', and averages as 'UPDATE.average.NAME'.

An optimizer is {"kind": "sgd", "adam", "adamw", "lars" or "muon", …its options, "clip", "ema", "others"}. Muon's iterations are PyTorch's, in
bfloat16, unless "exact" asks for them in the precision of the weights.
"""

import json
import sys
import time

import safetensors_file
import timm
import torch
from networks import made
from timm.optim.lars import Lars
from torch.nn import functional as F

torch.set_num_threads(1)  # nothing is timed, and threads of several processes wait for each other
bfloat16_iterations = torch.optim._muon._zeropower_via_newtonschulz


def exact_iterations(u, coefficients, steps, eps):
    a, b, c = coefficients
    x = u.T if u.size(0) > u.size(1) else u
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if u.size(0) > u.size(1) else x


kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "lars": Lars}


def optimizers(parameters, kind, others=None, exact=False, **options):
    if kind != "muon":
        return [kinds[kind](parameters, **options)]
    torch.optim._muon._zeropower_via_newtonschulz = exact_iterations if exact else bfloat16_iterations
    matrices = [p for p in parameters if p.ndim == 2]
    rest = [p for p in parameters if p.ndim != 2]
    return [torch.optim.Muon(matrices, **options), *optimizers(rest, **others)]


def train(task):
    dtype = getattr(torch, task["precision"])
    model = made(task["network"])
    model.load_state_dict(safetensors_file.read(task["weights"]), strict=False)  # without num_batches_tracked, which Weir has not
    model.train().to(dtype)
    batches = safetensors_file.read(task["batches"])
    xs, labels = batches["x"].to(dtype), batches["labels"].long()
    if xs.ndim == 5:
        xs = xs.movedim(-1, 2)
    settings = dict(task["optimizer"])
    clip, ema = settings.pop("clip", None), settings.pop("ema", None)
    steps = optimizers(list(model.parameters()), **settings)
    averages = ema and torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema)
    )
    losses, found = [], {}
    for update, (x, y) in enumerate(zip(xs, labels), 1):
        model.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        for one in steps:
            one.step()
        losses.append(loss.item())
        if averages:
            averages.update_parameters(model)
        if update not in task["report"]:
            continue
        for name, tensor in model.state_dict().items():
            found[f"{update}.{name}"] = tensor.float().clone()
        for name, tensor in averages.module.state_dict().items() if averages else ():
            found[f"{update}.average.{name}"] = tensor.float().clone()
    safetensors_file.write(found, task["out"])
    return losses


print(json.dumps({"ready": f"PyTorch {torch.__version__.split('+')[0]}, timm {timm.__version__}, {safetensors_file.by}"}), flush=True)
for line in sys.stdin:
    begin = time.perf_counter()
    losses = train(json.loads(line))
    print(json.dumps({"losses": losses, "seconds": time.perf_counter() - begin}), flush=True)
