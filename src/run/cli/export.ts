import { Command } from 'commander';
import { RunFolder } from '../folder.js';
import { weightsOfRun } from '../weights/of-run.js';
import { writeSafetensors } from '../weights/safetensors.js';
import { inTorch } from '../weights/torch.js';

/** `weir export RUN FILE`: the newest weights of a network as safetensors, with PyTorch's names and layouts. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write the newest weights of a network as safetensors, with the names and layouts of PyTorch')
    .argument('<run>', 'folder of the run')
    .argument('<file>', 'the .safetensors file to write')
    .option('--network <name>', 'which of the run’s networks (default: its only one)')
    .addHelpText(
      'after',
      '\nExample:\n  weir export runs/cifar10-resnet18-2026-01-31-120000 rep.safetensors --network rep-spectral',
    )
    .action((run: string, file: string, { network }: { network?: string }) => {
      const folder = RunFolder.open(run);
      const warn = (message: string): boolean => process.stderr.write(`${message}\n`);
      const { network: name, update, weights } = weightsOfRun(folder, { network, warn });
      const tensors = inTorch(weights);
      writeSafetensors(file, tensors, {
        ...{ format: 'pt', pipeline: folder.started.pipeline },
        ...{ network: name, update: String(update) },
      });
      process.stdout.write(`${tensors.size} tensors of '${name}' after update ${update}\n${file}\n`);
    });
}
