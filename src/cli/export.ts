import { extname, join } from 'node:path';
import { Command, Option } from 'commander';
import { exportAdversarial } from '../export/npz.js';
import { onnxGraph } from '../export/onnx/onnx.js';
import { writeOnnx } from '../export/onnx/onnx-file.js';
import { exportParquet } from '../export/parquet.js';
import { exportCsv } from '../export/table.js';
import { exportTensorBoard } from '../export/tensorboard.js';
import { WeirError } from '../flow/errors.js';
import { suggestion } from '../flow/options.js';
import { toError, toOutput } from '../flow/terminal.js';
import { toMetadata } from '../learn/metadata.js';
import { modelOf } from '../learn/model/described.js';
import { inTorch } from '../learn/weights/pretrained.js';
import { writeSafetensors } from '../learn/weights/safetensors.js';
import { attackedIn } from '../run/collect/collect.js';
import { recordsOf } from '../run/run-log.js';
import { statusOf } from '../run/status.js';
import { namesOf, type RunWeights, weightsOfRun } from '../run/weights.js';
import { keptRecords } from '../storage/kept-arrays.js';
import { RunFolder } from '../storage/run-folder.js';
import { unfinishedNetworks } from '../storage/run-state.js';
import { makeFolder } from '../surroundings/folders.js';
import { type WeightsSettings, weightsOptions, withOptions } from './options.js';

interface Settings extends WeightsSettings {
  readonly network?: string;
  readonly format?: WeightsFormat;
  readonly readout?: string;
  readonly stream?: string;
  readonly tensorboard?: true;
  readonly all?: true;
}

type WeightsFormat = (typeof formats)[number];

/** Of files of weights: also what their names end in. */
const formats = ['safetensors', 'onnx'] as const;

const examples = `
Examples:
  weir export runs/cifar10 rep.safetensors --network rep-spectral   weights, for PyTorch
  weir export runs/barlow old.safetensors --readout trained         with its own readout, where another was fitted anew
  weir export runs/cifar10 rep.onnx --network rep-spectral          the network itself, for ONNX Runtime
  weir export runs/cifar10 best.onnx --snapshot best --averaged     the averaged weights of the best snapshot
  weir export runs/cifar10 metrics.parquet                          metrics, for pandas
  weir export runs/cifar10 tests.csv --stream tests                 metrics of one stream, as text
  weir export runs/cifar10 weights --all                            weights of all networks, a file each; --format onnx: as ONNX
  weir export runs/cifar10 attacked.npz                             adversarial samples of all networks, for NumPy
  weir export runs/cifar10 ddn.npz --stream ddn                     those of one of several attacks
  weir export runs/cifar10 board --tensorboard                      then: tensorboard --logdir board`;

/** `weir export RUN FILE`: weights as safetensors, networks as ONNX; metrics as CSV, Parquet or event files of TensorBoard. */
export function command(): Command {
  const command = new Command('export')
    .description(
      'write files for other tools: weights as safetensors, networks as ONNX, metrics as CSV or Parquet, adversarial samples as .npz, or all for TensorBoard',
    )
    .argument('<run>', 'folder of the run')
    .argument(
      '<file>',
      'a .csv or .parquet file for metrics, .npz for adversarial samples, .onnx for a network, any other for weights; with --all or --tensorboard a folder',
    )
    .option('--network <name>', 'one of the run’s networks (default: for weights the only one, for metrics all)')
    .option(
      '--readout <name>',
      'for weights: the stage whose fitted readout is taken (default: where there is one, that one), or `trained`',
    )
    .option('--all', 'write the weights of every network, into a folder')
    .addOption(new Option('--format <format>', 'for --all: the format of the files').choices(formats))
    .option('--stream <name>', 'for CSV, Parquet and .npz: one stream, such as updates or attacks (default: all)')
    .option('--tensorboard', 'write event files: scalars, histograms, pictures of attacks, hyperparameters')
    .addHelpText('after', examples);
  return withOptions(command, ...weightsOptions()).action(async (run: string, file: string, settings: Settings) => {
    const folder = RunFolder.open(run);
    const table = /\.(csv|parquet)$/.test(file);
    const samples = file.endsWith('.npz');
    if (settings.stream !== undefined && (!(table || samples) || settings.tensorboard)) {
      throw new WeirError(
        '--stream is for CSV, Parquet and .npz alone',
        `write \`weir export ${run} metrics.csv --stream ${settings.stream}\``,
      );
    }
    const odd = (['readout', 'snapshot', 'averaged', 'format'] as const).find((key) => settings[key] !== undefined);
    if (odd !== undefined && (table || samples || settings.tensorboard)) {
      throw new WeirError(`--${odd} is for weights alone`, `write \`weir export ${run} weights.safetensors\``);
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
    if (settings.tensorboard) await metricsForTensorBoard(folder, file);
    else if (table) metricsAsTable(folder, file, settings);
    else if (samples) adversarialSamples(folder, file, settings);
    else if (settings.all) weightsOfAll(folder, file, settings);
    else weights(folder, file, formatOf(file, settings.format), settings)();
  });
}

/** The format of a file of weights, by its name or as it was asked for. @throws {WeirError} where the two differ, and for another name */
function formatOf(file: string, asked: WeightsFormat | undefined): WeightsFormat {
  const ending = extname(file).slice(1);
  const named = formats.find((format) => format === ending);
  if (ending !== '' && named === undefined) {
    throw new WeirError(
      `${file} ends in '.${ending}', which is nothing that Weir writes`,
      'give a file in .safetensors (weights), .onnx (a network), .csv or .parquet (metrics) or .npz (adversarial samples), or --tensorboard',
    );
  }
  if (asked !== undefined && named !== undefined && asked !== named) {
    throw new WeirError(`${file} ends in '.${named}', and --format is ${asked}`, 'give the format by one of the two');
  }
  return asked ?? named ?? 'safetensors';
}

/** Writes every network, a file each: none where one of them is refused. */
function weightsOfAll(folder: RunFolder, into: string, settings: Settings): void {
  const { format = 'safetensors' } = settings;
  const written = (network: string) =>
    weights(folder, join(into, `${network}.${format}`), format, { ...settings, network });
  for (const network of namesOf(folder)) written(network); // only reads, and keeps nothing: weights of many networks are large
  makeFolder(into);
  for (const network of namesOf(folder)) written(network)();
}

const circular =
  "its convolutions pad circularly: modules of torchvision pad with zeros, and give other logits without padding_mode='circular' (see src/learn/weights/README.md)";

/** Reads the weights of a network, and checks that they have a form in this format. @returns what writes the file, and says what is in it */
function weights(
  folder: RunFolder,
  file: string,
  format: WeightsFormat,
  { network, readout: asked, snapshot, averaged }: Settings,
): () => void {
  const found = weightsOfRun(folder, { network, readout: asked, snapshot, averaged });
  const { network: name, update, metadata } = found;
  const all = [...found.weights, ...found.more];
  const about = {
    pipeline: folder.started.pipeline,
    network: name,
    update: String(update),
    ...(found.snapshot !== undefined && { snapshot: found.snapshot }),
    ...(averaged && { averaged: 'true' }),
    readout: found.readout,
    ...toMetadata(metadata),
  };
  const what = `'${name}' after update ${update}${averaged ? ', averaged over the updates' : ''}`;
  if (format === 'onnx') {
    const shapes = new Map(all.map(({ name, shape }) => [name, shape]));
    const graph = onnxGraph(modelOf(metadata.architecture ?? {}, shapes), all);
    return () => {
      writeOnnx(file, graph, about);
      sayReadout(found);
      if (snapshot === undefined) sayUnfinished(folder, name);
      toOutput(`${graph.nodes.length} nodes and ${graph.weights.size} tensors of ${what}\n${file}\n`);
    };
  }
  return () => {
    const tensors = inTorch(all);
    writeSafetensors(file, tensors, { format: 'pt', ...about });
    if (metadata.architecture?.padding === 'circular') toOutput(`${circular}\n`);
    const activation = metadata.architecture?.activation;
    if (activation !== undefined && activation !== 'relu') {
      toOutput(
        `its activation is ${activation}: a module with another activation, such as relu, gives other logits without an error\n`,
      );
    }
    sayReadout(found);
    if (snapshot === undefined) sayUnfinished(folder, name);
    toOutput(`${tensors.size} tensors of ${what}\n${file}\n`);
  };
}

function sayReadout({ readout, others }: RunWeights): void {
  if (others.length === 0) return;
  const which =
    readout === 'trained' ? 'the readout that it was trained with' : `the readout that stage '${readout}' fitted anew`;
  toOutput(`with ${which}; --readout ${others.join(', ')} gives another\n`);
}

function sayUnfinished(folder: RunFolder, name: string): void {
  if (unfinishedNetworks(folder).includes(name)) {
    toError(`network '${name}' is not finished: these are the weights of its newest snapshot\n`);
  }
}

function adversarialSamples(folder: RunFolder, file: string, { network, stream }: Settings): void {
  const networks = attackedIn(folder);
  const names = networks.map(({ name }) => name);
  if (network !== undefined && !names.includes(network)) {
    throw new WeirError(
      `the run has no network '${network}'`,
      suggestion(network, names, `there are ${names.join(', ')}`),
    );
  }
  const wanted = networks.filter(({ name }) => network === undefined || name === network);
  const streams = [...new Set(wanted.flatMap(({ attacks }) => [...attacks.keys()]))];
  if (stream !== undefined && streams.length > 0 && !streams.includes(stream)) {
    throw new WeirError(
      `no network was attacked in a stream '${stream}'`,
      suggestion(stream, streams, `the attacks are ${streams.join(', ')}`),
    );
  }
  const chosen = wanted.map((one) =>
    stream === undefined ? one : { ...one, attacks: new Map([...one.attacks].filter(([name]) => name === stream)) },
  );
  const written = exportAdversarial(file, chosen, (network, stream) => keptRecords(folder.path, network, stream));
  if (stream === undefined && streams.length > 1) toOutput(`by attack: NETWORK/STREAM, of ${streams.join(', ')}\n`);
  toOutput(
    `${written.samples} attacked samples of ${written.networks} networks, ${written.pictured} with images\n${file}\n`,
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
