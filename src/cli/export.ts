import { extname, join } from 'node:path';
import { Command } from 'commander';
import { exportAdversarial } from '../export/npz.js';
import { exportParquet } from '../export/parquet.js';
import { exportCsv } from '../export/table.js';
import { exportTensorBoard } from '../export/tensorboard.js';
import { WeirError } from '../flow/errors.js';
import { suggestion } from '../flow/options.js';
import { toError, toOutput } from '../flow/terminal.js';
import { toMetadata } from '../learn/metadata.js';
import { inTorch } from '../learn/weights/pretrained.js';
import { writeSafetensors } from '../learn/weights/safetensors.js';
import { collectReport } from '../run/collect/collect.js';
import { recordsOf } from '../run/run-log.js';
import { statusOf } from '../run/status.js';
import { namesOf, weightsOfRun } from '../run/weights.js';
import { makeFolder } from '../storage/folders.js';
import { RunFolder } from '../storage/run-folder.js';
import { unfinishedNetworks } from '../storage/run-state.js';

interface Settings {
  readonly network?: string;
  readonly readout?: string;
  readonly stream?: string;
  readonly tensorboard?: true;
  readonly all?: true;
}

const examples = `
Examples:
  weir export runs/cifar10 rep.safetensors --network rep-spectral   weights, for PyTorch
  weir export runs/barlow old.safetensors --readout trained         with its own readout, where another was fitted anew
  weir export runs/cifar10 metrics.parquet                          metrics, for pandas
  weir export runs/cifar10 tests.csv --stream tests                 metrics of one stream, as text
  weir export runs/cifar10 weights --all                            weights of all networks, a file each
  weir export runs/cifar10 attacked.npz                             adversarial samples of all networks, for NumPy
  weir export runs/cifar10 board --tensorboard                      then: tensorboard --logdir board`;

/** `weir export RUN FILE`: weights as safetensors; metrics as CSV, Parquet or event files of TensorBoard. */
export function command(): Command {
  return new Command('export')
    .description(
      'write files for other tools: weights as safetensors, metrics as CSV or Parquet, adversarial samples as .npz, or all for TensorBoard',
    )
    .argument('<run>', 'folder of the run')
    .argument(
      '<file>',
      'a .csv or .parquet file for metrics, .npz for adversarial samples, any other for weights; with --all or --tensorboard a folder',
    )
    .option('--network <name>', 'one of the run’s networks (default: for weights the only one, for metrics all)')
    .option(
      '--readout <name>',
      'for weights: the stage whose fitted readout is taken (default: where there is one, that one), or `trained`',
    )
    .option('--all', 'write the weights of every network, into a folder')
    .option('--stream <name>', 'for CSV and Parquet: one stream, such as updates (default: all)')
    .option('--tensorboard', 'write event files: scalars, histograms, pictures of attacks, hyperparameters')
    .addHelpText('after', examples)
    .action(async (run: string, file: string, settings: Settings) => {
      const folder = RunFolder.open(run);
      const table = /\.(csv|parquet)$/.test(file);
      const samples = file.endsWith('.npz');
      if (settings.stream !== undefined && (!table || settings.tensorboard)) {
        throw new WeirError(
          '--stream is for CSV and Parquet alone',
          `write \`weir export ${run} metrics.csv --stream ${settings.stream}\``,
        );
      }
      if (settings.readout !== undefined && (table || samples || settings.tensorboard)) {
        throw new WeirError('--readout is for weights alone', `write \`weir export ${run} weights.safetensors\``);
      }
      if (settings.network !== undefined && settings.tensorboard) {
        throw new WeirError('--tensorboard takes all networks of a run', 'leave --network out');
      }
      if (settings.all && (table || samples || settings.tensorboard || settings.network !== undefined)) {
        throw new WeirError(
          '--all is for the weights of every network',
          `write \`weir export ${run} FOLDER --all\`: metrics and samples are of all networks unless --network names one`,
        );
      }
      const weightsFile = !table && !samples && !settings.all && !settings.tensorboard;
      if (weightsFile && extname(file) !== '.safetensors' && extname(file) !== '') {
        throw new WeirError(
          `${file} ends in '${extname(file)}', which is nothing that Weir writes`,
          'give a file in .safetensors (weights), .csv or .parquet (metrics) or .npz (adversarial samples), or --tensorboard',
        );
      }
      if (settings.tensorboard) await metricsForTensorBoard(folder, file);
      else if (table) metricsAsTable(folder, file, settings);
      else if (samples) adversarialSamples(folder, file, settings);
      else if (settings.all) {
        makeFolder(file);
        for (const network of namesOf(folder)) {
          weights(folder, join(file, `${network}.safetensors`), { ...settings, network });
        }
      } else weights(folder, file, settings);
    });
}

const circular =
  "its convolutions pad circularly: modules of torchvision pad with zeros, and give other logits without padding_mode='circular' (see src/learn/weights/README.md)";

function weights(folder: RunFolder, file: string, { network, readout: asked }: Settings): void {
  const found = weightsOfRun(folder, { network, readout: asked });
  const { network: name, update, weights, more, readout, others, metadata } = found;
  const tensors = inTorch([...weights, ...more]);
  writeSafetensors(file, tensors, {
    format: 'pt',
    pipeline: folder.started.pipeline,
    network: name,
    update: String(update),
    readout,
    ...toMetadata(metadata),
  });
  if (metadata.architecture?.padding === 'circular') toOutput(`${circular}\n`);
  const activation = metadata.architecture?.activation;
  if (activation !== undefined && activation !== 'relu') {
    toOutput(
      `its activation is ${activation}: a module with another activation, such as relu, gives other logits without an error\n`,
    );
  }
  if (others.length > 0) {
    const which =
      readout === 'trained'
        ? 'the readout that it was trained with'
        : `the readout that stage '${readout}' fitted anew`;
    toOutput(`with ${which}; --readout ${others.join(', ')} gives another\n`);
  }
  if (unfinishedNetworks(folder).includes(name)) {
    toError(`network '${name}' is not finished: these are the weights of its newest snapshot\n`);
  }
  toOutput(`${tensors.size} tensors of '${name}' after update ${update}\n${file}\n`);
}

function adversarialSamples(folder: RunFolder, file: string, { network }: Settings): void {
  const { networks } = collectReport([folder]);
  const names = networks.map(({ name }) => name);
  if (network !== undefined && !names.includes(network)) {
    throw new WeirError(
      `the run has no network '${network}'`,
      suggestion(network, names, `there are ${names.join(', ')}`),
    );
  }
  const wanted = networks.filter(({ name }) => network === undefined || name === network);
  const written = exportAdversarial(file, wanted);
  toOutput(
    `${written.samples} attacked samples of ${written.networks} networks, ${written.pictured} with images: the log keeps those of each network’s first few\n${file}\n`,
  );
}

function metricsAsTable(folder: RunFolder, file: string, settings: Settings): void {
  const written = file.endsWith('.csv') ? exportCsv : exportParquet;
  const rows = written(file, () => recordsOf(folder), { ...settings, streams: folder.streams });
  toOutput(`${rows} rows\n${file}\n`);
}

async function metricsForTensorBoard(folder: RunFolder, into: string): Promise<void> {
  const { state, damage } = await statusOf(folder.path);
  if (damage !== null) throw new WeirError(`the run in ${folder.shown} is damaged: ${damage}`, 'put it back as it was');
  const { networks, records } = exportTensorBoard(into, folder, recordsOf(folder), state === 'done');
  toOutput(`${records} records of ${networks} networks; show them with \`tensorboard --logdir ${into}\`\n${into}\n`);
}
