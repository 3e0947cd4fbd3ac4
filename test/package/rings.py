"""The project of `weir init` as far as PyTorch Lightning goes: without its attack, report, page and resumption to the bit."""

import csv
import math
import os
import sys

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset

POINTS, EPOCHS = 200, 100


def rings(points):
    golden = math.pi * (3 - math.sqrt(5))
    radii = [math.sqrt((i + 0.5) / points) for i in range(points)]
    values = [[r * math.cos(i * golden), r * math.sin(i * golden)] for i, r in enumerate(radii)]
    return TensorDataset(torch.tensor(values), torch.tensor([0 if r < 0.7 else 1 for r in radii]))


class Network(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.GELU(), torch.nn.Linear(16, 2))

    def training_step(self, batch, _):
        x, y = batch
        loss = torch.nn.functional.cross_entropy(self.layers(x), y)
        self.log("loss", loss, on_step=True)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        logits = self.layers(x)
        self.log("test_loss", torch.nn.functional.cross_entropy(logits, y))
        self.log("accuracy", (logits.argmax(1) == y).float().mean(), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=2, momentum=0.9)


class Best(Callback):
    def __init__(self):
        self.best = 0.0

    def on_validation_epoch_end(self, trainer, module):
        self.best = max(self.best, trainer.callback_metrics["accuracy"].item())
        module.log("best", self.best)

    def state_dict(self):
        return {"best": self.best}

    def load_state_dict(self, state):
        self.best = state["best"]


def main():
    lightning.seed_everything(0)
    points = rings(POINTS)
    folder = sys.argv[1] if len(sys.argv) > 1 else "runs/lightning"
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        check_val_every_n_epoch=10,
        log_every_n_steps=1,
        accelerator="cpu",
        logger=lightning.pytorch.loggers.CSVLogger(folder),
        callbacks=[Best(), ModelCheckpoint(dirpath=folder, save_last=True, every_n_epochs=10)],
    )
    last = f"{folder}/last.ckpt"
    training = DataLoader(points, batch_size=50, shuffle=True)
    tests = DataLoader(points, batch_size=len(points))
    trainer.fit(Network(), training, tests, ckpt_path=last if os.path.exists(last) else None)
    with open(f"{trainer.logger.log_dir}/metrics.csv") as file:
        print("best", max(float(row["best"]) for row in csv.DictReader(file) if row["best"]))


main()
