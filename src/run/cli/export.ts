import { Command } from 'commander';
import { WeirError } from '../../core/errors.js';
import { readState } from '../execute.js';
import { RunFolder } from '../folder.js';
import { loadPipeline } from '../load-module.js';
import { weightsOf } from '../weights/of-snapshot.js';
import { writeSafetensors } from '../weights/safetensors.js';
import { torchNames, toTorch } from '../weights/torch.js';

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
    .action(async (run: string, file: string, { network }: { network?: string }) => {
      const folder = RunFolder.open(run);
      const { module, config, seed, pipeline } = folder.started;
      const names = (await loadPipeline(module)).networks(config, seed).map(({ name }) => name);
      const name = network ?? (names.length === 1 ? names[0]! : undefined);
      if (name === undefined || !names.includes(name)) {
        throw new WeirError(
          name === undefined ? `the run in ${folder.shown} has several networks` : `it has no network '${name}'`,
          `name one with --network: ${names.join(', ')}`,
        );
      }
      const found = readState(folder.snapshots(name), (message) => process.stderr.write(`${message}\n`));
      const weights = found === undefined ? [] : weightsOf(found.state);
      if (weights.length === 0 || weights.some((weight) => weight.name === 'members')) {
        throw new WeirError(
          `network '${name}' of ${folder.shown} has no weights of its own to export`,
          'name one that is trained by `train` and has a snapshot',
        );
      }
      const tensors = new Map(weights.map((weight) => [torchNames(weight.name)[0], toTorch(weight)]));
      writeSafetensors(file, tensors, { format: 'pt', pipeline, network: name, update: String(found!.state.update) });
      process.stdout.write(`${tensors.size} tensors of '${name}' after update ${found!.state.update}\n${file}\n`);
    });
}
