import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EMPTY, type Observable } from 'rxjs';
import type { Data, Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { WithLease } from '../flow/lease.js';
import { checkOptions } from '../flow/options.js';
import { type Serial, serial } from '../flow/serial.js';
import { checkArchitecture, type NetworkMetadata } from '../learn/metadata.js';
import type { Model, Weights } from '../learn/model/model.js';
import { type Update, updateRecord } from '../learn/update.js';
import {
  checkShapes,
  restoreTensors,
  type SavedTensors,
  savedTensors,
  shapesOf,
} from '../learn/weights/saved-tensors.js';
import { type LogLine, NetworkLog } from '../measure/log.js';
import { hashWeights } from '../storage/digest.js';
import { checkOrigin } from '../storage/identity-file.js';
import { copyKept } from '../storage/kept-arrays.js';
import { MetricLog } from '../storage/metric-log.js';
import { type RunConfig, RunFolder } from '../storage/run-folder.js';
import { trainedNetwork } from '../storage/run-state.js';
import { tf } from '../tensorflow/tf.js';
import { regularizerOf } from './collect/records.js';
import type { Network } from './pipeline.js';
import { recordsOf } from './run-log.js';
import { isPicked, trainedStateWith, type WeightsPick, weightOwner, weightsDigest, withReadout } from './weights.js';

/** A trained network with its last update. */
interface TrainedState {
  readonly weights: Weights;
  readonly number: number;
  readonly epoch: number;
  readonly position: number;
  readonly metadata?: NetworkMetadata;
}

type Saved = Omit<TrainedState, 'weights'> & { readonly weights: SavedTensors };

/**
 * The last update of a network that another run trained, as a stream of one item. Where that run fitted its readout anew, the weights have that
 * readout, as its export does. The first snapshot holds a copy of the weights, so the other run is not needed afterwards.
 *
 * @param run folder of a run that is done @param network its name there
 * @throws {WeirError} when that network is not trained to the end, or is of another model
 * @example trainedBy(model, { run: config.from, network: network.name }).pipe(readout(model, train, test))
 */
export function trainedBy(
  model: Model,
  options: { readonly run: string; readonly network: string },
): Observable<Update & WithLease> {
  const { run, network } = checkOptions('trainedBy', options, { run: 'required', network: 'required' });
  const read = (): Saved => {
    const folder = RunFolder.open(run);
    const found = trainedNetwork(folder, network);
    checkOrigin(folder, network, found);
    const saved = weightOwner(found.state) as Saved | undefined;
    if (saved?.weights === undefined) {
      throw new WeirError(`network '${network}' of ${run} has no weights`, 'name a run that trains a network');
    }
    const own = model.start(0);
    const { weights, metadata } = withReadout(folder, found.state);
    checkShapes(model, shapesOf(own), weights);
    tf.dispose([...own.values()]);
    checkArchitecture(`network '${network}' of ${run}`, metadata.architecture ?? {}, model);
    return { ...saved, weights, metadata };
  };
  const restored = ({ weights, number, epoch, position, metadata }: Saved): TrainedState => ({
    number,
    epoch,
    position,
    ...(metadata && { metadata }),
    weights: restoreTensors(weights),
  });
  const stage: Serial<Positioned, Update, TrainedState> = {
    name: 'trained',
    inputs: [
      { name: `network '${network}' of ${run}`, fingerprint: () => ({ properties: { weights: digestOf(read()) } }) },
    ],
    start: () => restored(read()),
    introduce: (_, { metadata: { classes, normalization } = {} }) => [
      { ...(classes && { classes }), ...(normalization && { normalization }) },
    ],
    next: () => {
      throw new Error('a trained network is not trained any further');
    },
    repeat: ({ metadata: _, ...standing }) => ({ ...standing, endsEpoch: true, ...unknown }),
    save: ({ weights, ...at }) => ({ ...at, weights: savedTensors(weights) }) as unknown as Data,
    load: (data) => restored(data as unknown as Saved),
    dispose: ({ weights }) => tf.dispose([...weights.values()]),
  };
  return (EMPTY as Observable<Positioned>).pipe(serial(stage));
}

const digestOf = ({ weights }: Saved): string =>
  hashWeights(Object.fromEntries(weights.map(({ name, values }) => [name, values])));

/** The training itself is not known here. */
const unknown = { loss: () => Number.NaN, epochLoss: () => Number.NaN, epochAccuracy: () => Number.NaN };

/**
 * The networks that a run trained, as they were listed there.
 *
 * @throws {WeirError} when there is no such run
 * @example for (const { name, regularizer, seed } of networksOf('runs/pretrained')) console.log(name, regularizer, seed);
 */
export function networksOf(run: string): (Network & { readonly regularizer: string })[] {
  if (run === '') {
    throw new WeirError(
      'no run is named for the pretrained networks',
      'name one: --set from=RUN, or use weir reproduce',
    );
  }
  const folder = RunFolder.open(run);
  const { pipeline } = folder.started;
  const records = [...recordsOf(folder)] as unknown as LogLine[];
  return records
    .filter(({ stream }) => stream === 'network')
    .map((about) => {
      const name = String(about.network);
      const own = records.filter(({ network }) => network === name);
      const updates = new NetworkLog(own, folder.streams).of(updateRecord);
      const regularizer = regularizerOf({ pipeline, name, about, updates });
      return { name, regularizer, seed: Number(about.seed) };
    });
}

/**
 * Makes a new run with the trained networks of a finished one, in which some streams run again. Its metric log begins with the other's
 * log without those streams, so that its report is complete. Where that fails, a folder that was new or empty is not left behind.
 *
 * @param module where the pipeline module is @param accepted the changes of the other run that the user accepted @param taken which weights
 */
export function takeOver(
  source: RunFolder,
  path: string | undefined,
  config: Readonly<Record<string, unknown>>,
  streams: readonly string[],
  {
    module,
    accepted,
    taken = {},
  }: { readonly module: string; readonly accepted: readonly string[]; readonly taken?: WeightsPick },
): RunFolder {
  const { pipeline, seed, networks, figures = [], reference, part, across, taken: begunWith } = source.started;
  const listed = {
    ...(networks && { networks }),
    ...(part && { part }),
    ...(across && { across }),
    ...(begunWith && { taken: begunWith }),
  };
  const copied = [...recordsOf(source)].filter(({ stream }) => !streams.includes(String(stream)));
  const again = streams.map((stream) => `${stream}$`);
  let empty: string | undefined;
  const fill = (folder: string): NonNullable<RunConfig['from']> => {
    if (readdirSync(folder).length === 0) empty = folder;
    const log = new MetricLog(join(folder, 'metrics.ndjson'));
    try {
      log.cutBack({ bytes: 0 }); // removes the rest of a failed attempt, such as on a full disk
      for (const record of copied) log.append(record);
      log.flush({ sync: true });
      copyKept(source.path, folder, { left: streams });
      const weights = (networks ?? []).map(({ name }): [string, string] => [
        name,
        weightsDigest(trainedStateWith(source, name, taken).state),
      ]);
      return {
        run: resolve(source.path),
        again,
        logged: log.mark,
        weights: Object.fromEntries(weights),
        accepted,
        ...(isPicked(taken) && { taken: { ...taken } }),
      };
    } finally {
      log.close();
    }
  };
  try {
    const run = RunFolder.create(
      path,
      { module, pipeline, seed, config, figures, ...(reference && { reference }), ...listed },
      fill,
    );
    run.declare(Object.fromEntries(Object.entries(source.streams).filter(([name]) => !streams.includes(name))));
    return run;
  } catch (error) {
    if (empty !== undefined) discard(empty); // not half a run
    throw error;
  }
}

/** Removes a folder after a failure, which a failure to remove it does not hide. */
export function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // It stays, as a mount point does.
  }
}
