import { samplesInput } from '../../data/fingerprint.js';
import { WeirError } from '../../flow/errors.js';
import type { Header } from '../../flow/header.js';
import { leaseOf, type WithLease } from '../../flow/lease.js';
import { checkOptions, type OptionKeys } from '../../flow/options.js';
import { type StageOperator, type Step, stage } from '../../flow/stage.js';
import type { NetworkMetadata } from '../../learn/metadata.js';
import { readoutWeights } from '../../learn/model/head.js';
import type { Model, Weights } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { restoreTensors, type SavedTensors, savedTensors } from '../../learn/weights/saved-tensors.js';
import { hasNative } from '../../tensorflow/ops/eager.js';
import { type Float64, toFloat64 } from '../../tensorflow/ops/float64.js';
import { tf } from '../../tensorflow/tf.js';
import { accuracy } from '../accuracy/accuracy.js';
import { inputLength, type LabeledSamples, type Normalization, writeInput } from '../inputs.js';
import { type Design, deviceDesign, hostDesign } from './design.js';
import { checkLabels, type FitMethod, fitMethods, logistic, optionsOf } from './logistic.js';
import type { Minimum } from './minimize.js';
import { classifierRecord, refittedRecord } from './record.js';

export interface FeaturesOptions {
  /** Samples a forward pass. */
  readonly batch: number;
  readonly normalize: Normalization | undefined;
}

const small = 4_000_000; // multiplications in one product: below, this process is as fast as the device

/**
 * Φ(x) of all samples in evaluation mode, as a design. It lies on the device in float64 (8 bytes a value) where the device has that type,
 * else in the memory of this process (4 bytes a value).
 *
 * @param keep is called with every tensor that stays on the device, when it is made
 * @throws {WeirError} for a sample with a feature that is not finite
 */
function* designOf(
  model: Model,
  weights: Weights,
  samples: LabeledSamples,
  { batch, normalize }: FeaturesOptions,
  keep: (made: { dispose(): void }) => void,
): Generator<void, Design> {
  const length = inputLength('readout', model, samples);
  const blocks: Float64[] = [];
  let host: Float32Array | undefined;
  let width = 0;
  for (let first = 0; first < samples.size; first += batch) {
    if (first > 0) yield;
    const n = Math.min(batch, samples.size - first);
    const rows = new Float32Array(n * length);
    for (let i = 0; i < n; i++) writeInput(samples, first + i, rows, i * length, normalize);
    const features = tf.tidy(() => model.features(weights, tf.tensor(rows, [n, ...model.inputShape])));
    width = features.shape[1];
    try {
      checkFinite(features, first);
      if (hasNative() && samples.size * width * model.classes > small) {
        const block = toFloat64(features);
        keep(block);
        blocks.push(block);
      } else {
        host ??= new Float32Array(samples.size * width);
        host.set(features.dataSync<'float32'>(), first * width);
      }
    } finally {
      features.dispose();
    }
  }
  return host === undefined ? deviceDesign(blocks) : hostDesign(host, samples.size, width);
}

function checkFinite(features: tf.Tensor2D, first: number): void {
  const sums = tf.tidy(() => tf.sum(tf.mul(features, 0), 1)); // NaN where a value is NaN or infinite
  const odd = sums.dataSync().findIndex((sum) => sum !== 0);
  sums.dispose();
  if (odd === -1) return;
  throw new WeirError(
    `the features of sample ${first + odd} are not finite: no readout can be fitted to them`,
    'the network has diverged, or that sample holds a number that is none: measure an earlier update, or mend the data',
  );
}

export interface ReadoutOptions {
  /**
   * `refitted`: it takes the place of the readout that the network was trained with, and a report tells the two apart. `classifier`: the
   * network was trained without one, so its accuracy and distances are those with this readout.
   */
  readonly as?: 'refitted' | 'classifier';
  /** C: the weight of the losses against the regularizer. */
  readonly inverseRegularization?: number;
  /** How far it is fitted: as scikit-learn does by default (the paper's), or until it has converged. */
  readonly fit?: FitMethod;
  /** The fit ends when no component of the gradient is larger than this, a sample: instead of that of `fit`. */
  readonly gradientTolerance?: number;
  /** Iterations of L-BFGS after which the fit ends though it has not converged: instead of those of `fit`. */
  readonly fitIterations?: number;
  readonly normalize?: Normalization;
  /** Samples a forward pass. */
  readonly batch?: number;
}

/** The same as a table for `checkOptions`. */
export const readoutOptionKeys: OptionKeys<ReadoutOptions> = {
  as: 'optional',
  inverseRegularization: 'optional',
  fit: 'optional',
  gradientTolerance: 'optional',
  fitIterations: 'optional',
  normalize: 'optional',
  batch: 'optional',
};

/** The quality of a fit. Plain data. */
export type FitQuality = {
  /** Part of the test samples that are classified correctly, 0 to 1, and of the training samples. */
  readonly accuracy: number;
  readonly trainAccuracy: number;
  /** ½‖W‖² + C · Σ losses over the training samples, in nats. */
  readonly objective: number;
  /** How it was fitted, in how many iterations of at most how many, and whether it converged. */
  readonly fit: FitMethod;
  readonly iterations: number;
  readonly iterationLimit: number;
  readonly converged: boolean;
};

/** An update whose network has a readout fitted anew to its frozen features: its weights are those of that network. */
export interface Refitted extends Update, FitQuality {
  /** Set where the network had another readout, so that later stages can log it. */
  readonly readout?: 'refitted';
  /** Mean cross-entropy over the test samples, in nats. */
  loss(): number;
  /** The same over the training samples. */
  epochLoss(): number;
  /** `trainAccuracy`. */
  epochAccuracy(): number;
}

/** At rest, inside a fit, or done with one. The finished fit is kept for the stages that follow. */
export type ReadoutState =
  | { readonly phase: 'rest' }
  | { readonly phase: 'fit'; readonly at: Minimum }
  | {
      readonly phase: 'fitted';
      readonly position: number;
      /** The two weights of the new readout, by the model's names. */
      readonly weights: SavedTensors;
      /** The metadata of the network with this readout: its classes are those of the samples that the readout was fitted to. */
      readonly metadata: Pick<NetworkMetadata, 'classes' | 'normalization'>;
      readonly measured: FitQuality;
      readonly losses: { readonly test: number; readonly train: number };
    };

/**
 * Fits a new readout to the frozen features of each update's network, by multinomial logistic regression with scikit-learn's defaults
 * (paper, 4.2, E.1 and figure 5). It measures the readout on test samples, and hands on the network that has it: the stages that follow
 * attack or measure that network.
 *
 *   updates    -------------A|
 *   readout    --------------B-|    B: A with another readout, while A's weights stand
 *
 * scikit-learn's defaults end at 100 iterations, mostly before the fit has converged. That is the paper's fit and the authors', and so
 * the default here; `fit: 'converged'` goes on.
 *
 * Bound: all features, 8 bytes a value (60,000 × 2000: 960 MB), while it fits; the engine breathes between parts of a pass. Order: that of
 * the updates. State: `ReadoutState`; features are computed again after a resume, and the fit goes on from its last iteration to the same
 * bits. The stages that follow go by the classes of `train`, whatever those of the network were. Failure: a label that is no class, a class
 * without samples, features that are not finite. The tensors of the new readout live as long as the lease of the update; outside of an
 * engine they belong to the receiver of the item.
 *
 * @example updates$.pipe(atEnd(), readout(model, train, test), tangentAttack(model, test, { samples: 1000, seed }))
 */
export function readout(
  model: Model,
  train: LabeledSamples,
  test: LabeledSamples,
  options: ReadoutOptions = {},
): StageOperator<Update & WithLease, Refitted, ReadoutState> {
  checkOptions('readout', options, readoutOptionKeys);
  const { inverseRegularization, fit: how = 'scikit-learn', gradientTolerance, fitIterations, normalize } = options;
  const { batch = 500, as = 'refitted' } = options;
  if (!fitMethods.includes(how)) {
    throw new WeirError(`there is no fit '${how}' of a readout`, `name one of ${fitMethods.join(', ')}`);
  }
  const usual = optionsOf[how];
  const iterationLimit = fitIterations ?? usual.iterations;
  const metadata: Header = {
    ...(train.classes && { classes: { of: train.name, names: train.classes } }),
    ...(normalize && { normalization: normalize }),
  };
  inputLength('readout', model, train);
  checkLabels(train.labels, train.size, model.classes);
  const tested = accuracy(model, test, { batch, ...(normalize && { normalize }) });

  /** The update with the new readout's tensors, which are disposed of when the lease closes. */
  const refit = (update: Update & WithLease, saved: SavedTensors): Update & WithLease => {
    const own = restoreTensors(saved);
    leaseOf(update)?.onClose(() => tf.dispose([...own.values()]));
    return { ...update, weights: new Map([...update.weights, ...own]) as Weights };
  };

  return stage({
    name: 'readout',
    record: as === 'refitted' ? refittedRecord : classifierRecord,
    claims: 'weights',
    inputs: [samplesInput(train), samplesInput(test)],
    start: () => ({ phase: 'rest' }),

    introduce() {
      tested.introduce?.([metadata], tested.start(), []);
      return [metadata];
    },

    *next(from, update): Generator<Step<ReadoutState, Refitted>> {
      const made: { dispose(): void }[] = [];
      const dispose = (): void => {
        for (const one of made.splice(0)) one.dispose();
      };
      leaseOf(update)?.onClose(dispose); // a run that is stopped in the middle of it
      try {
        let state: ReadoutState = from;
        const keep = (one: { dispose(): void }): void => void made.push(one);
        const design = yield* slices(designOf(model, update.weights, train, { batch, normalize }, keep), state);
        const fit = logistic(design, train.labels, model.classes, {
          ...(inverseRegularization !== undefined && { inverseRegularization }),
          ...usual,
          ...(gradientTolerance !== undefined && { tolerance: gradientTolerance }),
          iterations: iterationLimit,
        });
        keep(fit);

        let at = from.phase === 'fit' ? from.at : yield* slices(fit.start(), state);
        while (at.ended === 'no') {
          state = { phase: 'fit', at };
          yield [state];
          at = yield* slices(fit.next(at), state);
        }
        const seen = yield* slices(fit.measure(at), state);
        dispose();

        const found = readoutWeights(model, fit.fitted(at));
        const weights = savedTensors(found);
        tf.dispose([...found.values()]);
        const network = refit(update, weights);
        let last: Step<unknown, { readonly accuracy: number; readonly loss: number }> | undefined;
        for (const step of tested.next(tested.start(), network) as Iterable<NonNullable<typeof last>>) {
          if (last !== undefined) yield [state];
          last = step;
        }
        const { accuracy, loss } = last![1]!;
        const measured: FitQuality = {
          accuracy,
          trainAccuracy: seen.correct / train.size,
          objective: at.value,
          fit: how,
          iterations: at.iterations,
          iterationLimit,
          converged: at.ended === 'converged',
        };
        const losses = { test: loss, train: seen.loss / train.size };
        const done = { phase: 'fitted', position: update.position, weights, measured, losses, metadata } as const;
        yield [done, item(network, done, as)];
      } finally {
        dispose();
      }
    },

    repeat: (state, update) =>
      state.phase === 'fitted' && state.position === update.position
        ? item(refit(update, state.weights), state, as)
        : undefined,
  });
}

function item(
  network: Update,
  { measured, losses }: Pick<Extract<ReadoutState, { phase: 'fitted' }>, 'measured' | 'losses'>,
  as: 'refitted' | 'classifier',
): Refitted {
  const { test, train } = losses;
  const { trainAccuracy } = measured;
  return {
    ...network,
    ...measured,
    ...(as === 'refitted' && { readout: as }),
    loss: () => test,
    epochLoss: () => train,
    epochAccuracy: () => trainAccuracy,
  };
}

/** Work in slices as steps of a stage that leave its state as it is. */
function* slices<T, State>(work: Generator<void, T>, state: State): Generator<readonly [State], T> {
  for (;;) {
    const slice = work.next();
    if (slice.done) return slice.value;
    yield [state];
  }
}
