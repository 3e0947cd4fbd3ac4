"""Makes torch-optimizers.json: python3 test/learn/optimizer/torch-optimizers.py, with PyTorch 2.9 or newer and timm.

An MLP (3-4-2, GELU, logits / sqrt(4)) and a convolution's kernel. `recorded`: 50 gradients of a training by SGD, fed to every
optimizer. `trained`: the MLP by its own gradients, 50 updates. `long`: 200 made-up gradients under a schedule of the rate, for weights of
which some are zero at first, some have no gradient ever or for a while, and some are matrices of one row or column.

Optimizers compute in float64. Muon's iterations are PyTorch's for `recorded`, in bfloat16, and the same in float64 for the others, where
rounding would be multiplied. Weights are in Weir's layout: dense [in, out], convolution [rows, columns, in, out].
"""

import base64
import json
import math
import pathlib

import numpy as np
import timm
import torch
from timm.optim.lars import Lars
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

STEPS = 50
torch.manual_seed(14)
SHAPES = {"hidden1/kernel": (4, 3), "hidden1/bias": (4,), "readout/kernel": (2, 4), "readout/bias": (2,), "conv/kernel": (4, 2, 3, 3)}
START = {name: (0.5 * torch.randn(shape)).double() for name, shape in SHAPES.items()}
X = torch.randn(12, 3).float().double()
IMAGES = torch.randn(4, 2, 5, 5).double()
LABELS = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0])


# in Weir's layout
LONG = {
    "zero/kernel": (4, 3),
    "row/kernel": (1, 7),
    "column/kernel": (7, 1),
    "late/kernel": (5, 6),
    "silent/kernel": (3, 4),
    "conv/kernel": (3, 3, 5, 2),
    "shortcut/kernel": (1, 1, 2, 6),
    "norm/scale": (5,),
    "norm/offset": (6,),
}
LONG_STEPS, IN_EPOCH, WARM_UP = 200, 10, 30


def numbers(key, size):
    """As in random-weights.ts."""
    values = np.sin(np.arange(size) * 12.9898 + key * 78.233) * 43758.5453
    return values - np.floor(values) - 0.5


def theirs(shape, values):
    """Of PyTorch's layout, from Weir's."""
    tensor = torch.tensor(values.astype("<f4").reshape(shape)).double()
    if tensor.ndim == 4:
        return tensor.permute(3, 2, 0, 1).contiguous()
    return tensor.T.contiguous() if tensor.ndim == 2 else tensor


def long_start(index, name):
    size = math.prod(LONG[name])
    if name in ("zero/kernel", "norm/offset"):
        return np.zeros(size)
    return np.ones(size) if name == "norm/scale" else numbers(index + 1, size)


def long_gradient(index, name, update):
    size = math.prod(LONG[name])
    if name == "silent/kernel" or (name == "late/kernel" and not 50 < update <= 120):
        return np.zeros(size)
    direction = numbers(100 + index, size)
    return (numbers(1000 + update * len(LONG) + index, size) + 0.3 * direction) * 10 ** math.cos(update / 7)


def long_factor(update):
    """Of the rate: a warm-up, and half a cosine by epochs."""
    epoch = (update - 1) // IN_EPOCH
    return min(1, update / WARM_UP) * (1 + math.cos(math.pi * epoch * IN_EPOCH / LONG_STEPS)) / 2


def ours(name, tensor):
    """In Weir's layout."""
    if tensor.ndim == 4:
        return tensor.permute(2, 3, 1, 0)
    return tensor.T if tensor.ndim == 2 else tensor


def base(tensor):
    values = tensor.detach().contiguous().numpy().astype("<f4")
    return base64.b64encode(values.tobytes()).decode()


def loss_of(w):
    hidden = F.gelu(F.linear(X, w["hidden1/kernel"], w["hidden1/bias"]))
    logits = F.linear(hidden, w["readout/kernel"], w["readout/bias"]) / math.sqrt(4)
    return F.cross_entropy(logits, LABELS)


def weights(names):
    return {name: START[name].clone().requires_grad_(True) for name in names}


def both(*optimizers):
    def step():
        for optimizer in optimizers:
            optimizer.step()

    return step


def muon(w, **options):
    """torch.optim.Muon takes matrices alone: a convolution's kernel comes as its view [out, in * rows * columns]."""
    names = [name for name in w if w[name].ndim > 1]
    flat = {name: torch.nn.Parameter(w[name].detach().flatten(1).clone()) for name in names}
    first = torch.optim.Muon(list(flat.values()), **options)
    others = torch.optim.AdamW([w[name] for name in w if w[name].ndim == 1], lr=0.01, weight_decay=0.1)

    def step():
        for name in names:
            flat[name].grad = w[name].grad.flatten(1)
        both(first, others)()
        with torch.no_grad():
            for name in names:
                w[name].copy_(flat[name].view(w[name].shape))

    return step


def clipped(w):
    optimizer = torch.optim.AdamW(w.values(), lr=0.01)

    def step():
        torch.nn.utils.clip_grad_norm_(list(w.values()), 0.3)
        optimizer.step()

    return step


def warmed(w):
    optimizer = torch.optim.SGD(w.values(), lr=0.2, momentum=0.9)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: min(1, (done + 1) / 20))

    def step():
        optimizer.step()
        schedule.step()

    return step


def plain_vectors(w):
    groups = [
        {"params": [p for p in w.values() if p.ndim > 1], "weight_decay": 0.05},
        {"params": [p for p in w.values() if p.ndim == 1], "weight_decay": 0},
    ]
    return Lars(groups, lr=2, momentum=0.9, trust_coeff=0.02).step


def exact_iterations(u, coefficients, steps, eps):
    """The iteration of torch.optim.Muon without its rounding to bfloat16."""
    a, b, c = coefficients
    x = u / u.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


OPTIMIZERS = {
    "sgd": lambda w: torch.optim.SGD(w.values(), lr=0.1, momentum=0.9, weight_decay=0.01).step,
    "sgd nesterov": lambda w: torch.optim.SGD(w.values(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01).step,
    "sgd warm-up": warmed,
    "adam": lambda w: torch.optim.Adam(w.values(), lr=0.01, weight_decay=0.02).step,
    "adamw": lambda w: torch.optim.AdamW(w.values(), lr=0.01, betas=(0.85, 0.98), weight_decay=0.1).step,
    "adamw clipped": clipped,
    "lars": lambda w: Lars(w.values(), lr=1, momentum=0.9, weight_decay=0.05, trust_coeff=0.02).step,
    "lars always": lambda w: Lars(w.values(), lr=1, momentum=0.9, trust_coeff=0.02, always_adapt=True).step,
    "lars plain vectors": plain_vectors,
    "muon": lambda w: muon(w, lr=0.02, weight_decay=0.1),
    "muon matched": lambda w: muon(w, lr=0.01, nesterov=False, adjust_lr_fn="match_rms_adamw"),
    "muon unclamped": lambda w: muon(w, lr=0.02, adjust_lr_fn="spectral_unclamped"),
}


def record():
    """The gradients of a training of the MLP and of the kernel, whose loss is the mean of softplus over its maps."""
    w = weights(SHAPES)
    optimizer = torch.optim.SGD(w.values(), lr=0.3, momentum=0.5)
    gradients = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        (loss_of(w) + F.softplus(F.conv2d(IMAGES, w["conv/kernel"])).mean()).backward()
        gradients.append({name: w[name].grad.float().double() for name in w})
        optimizer.step()
    return gradients


def fed(make, gradients):
    w = weights(SHAPES)
    step = make(w)
    for one in gradients:
        for name in w:
            w[name].grad = one[name].clone()
        step()
    return w


def trained(make):
    w = weights([name for name in SHAPES if name != "conv/kernel"])
    step = make(w)
    for _ in range(STEPS):
        for p in w.values():
            p.grad = None
        loss_of(w).backward()
        step()
    return w


def long(make):
    w = {name: theirs(LONG[name], long_start(i, name)).requires_grad_(True) for i, name in enumerate(LONG)}
    step = make(w)
    update = 0

    def scheduled(optimizer, *_):
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("usual", group["lr"]) * long_factor(update)

    hook = register_optimizer_step_pre_hook(scheduled)
    for update in range(1, LONG_STEPS + 1):
        for i, name in enumerate(LONG):
            w[name].grad = theirs(LONG[name], long_gradient(i, name, update))
        step()
    hook.remove()
    return w


def averaged(gradients):
    """The averages of the weights that AdamW makes of the recorded gradients."""
    w = weights(SHAPES)
    module = torch.nn.ParameterDict({name.replace("/", "_"): torch.nn.Parameter(p.detach()) for name, p in w.items()})
    parameters = {name: module[name.replace("/", "_")] for name in w}
    optimizer = torch.optim.AdamW(parameters.values(), lr=0.01, betas=(0.85, 0.98), weight_decay=0.1)
    average = torch.optim.swa_utils.AveragedModel(module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    for one in gradients:
        for name, p in parameters.items():
            p.grad = one[name].clone()
        optimizer.step()
        average.update_parameters(module)
    return {name: average.module[name.replace("/", "_")] for name in w}


def saved(tensors):
    return {name: base(ours(name, tensor)) for name, tensor in tensors.items()}


START = {name: tensor.float().double() for name, tensor in START.items()}
gradients = record()
data = {
    "made": f"PyTorch {torch.__version__.split('+')[0]} and timm {timm.__version__}, by torch-optimizers.py; float32 in base64",
    "shapes": {name: list(ours(name, tensor).shape) for name, tensor in START.items()},
    "x": base(X),
    "labels": LABELS.tolist(),
    "start": saved(START),
    "gradients": {name: base(torch.stack([ours(name, one[name]) for one in gradients])) for name in SHAPES},
    "recorded": {name: saved(fed(make, gradients)) for name, make in OPTIMIZERS.items()},
    "averages": saved(averaged(gradients)),
}
torch.optim._muon._zeropower_via_newtonschulz = exact_iterations
data["trained"] = {name: saved(trained(make)) for name, make in OPTIMIZERS.items()}
data["long"] = {name: saved(long(make)) for name, make in OPTIMIZERS.items() if name != "sgd warm-up"}
path = pathlib.Path(__file__).with_name("torch-optimizers.json")
path.write_text(json.dumps(data, indent=2) + "\n")
print(path.stat().st_size)
