import type { OperatorFunction } from 'rxjs';
import type { Labels } from '../data/sample-check.js';
import type { Data, Positioned } from '../flow/data.js';
import type { WithLease } from '../flow/lease.js';
import { checkOptions } from '../flow/options.js';
import { type Serial, serial } from '../flow/serial.js';
import { processGroup } from '../tensorflow/collectives/process-group.js';
import { tf } from '../tensorflow/tf.js';
import { type AccumulatedBatches, acrossRanks, checkAccumulate, nothingLearned, withBatch } from './accumulate.js';
import { type Adversary, checkAdversary } from './adversary.js';
import { checkBatches, type ExpectedBatches, inputsOf } from './batches.js';
import { checkEven, gradientsOf } from './loss/gradients.js';
import { checkLoss, isOfViews, type Learned, type Loss, type ViewsLoss } from './loss/loss.js';
import { type MatchedClasses, matchClasses } from './metadata.js';
import type { Model, Weights } from './model/model.js';
import { checkMoved, checkOptimizer, type Optimizer } from './optimizer/optimizer.js';
import { checkRegularizer, type Regularizer, watched } from './regularizer/regularizer.js';
import { remarksOnLength, trainingLength, withLength } from './training-length.js';
import {
  disposeState,
  firstState,
  restoredState,
  type SavedState,
  savedState,
  type TrainState,
  type Update,
  updateOf,
  updateRecord,
} from './update.js';
import { checkShapes, type Shapes, shapesOf } from './weights/saved-tensors.js';

/** A batch, as far as training reads it. */
export interface Batch extends Positioned, ExpectedBatches {
  /** Counted from 1. */
  readonly epoch: number;
  /** Samples of the epoch still to come. */
  readonly remaining: number;
  /** Shape of one sample; of several views of it [views, ...]. */
  readonly sampleShape: readonly number[];
  /** [n, ...sampleShape]. */
  readonly values: Float32Array;
  /** [n]; none where no sample of a short last batch is this rank's. */
  readonly labels: Labels;
  /** [n], of the samples in their data set; an adversary needs them. */
  readonly indices?: ArrayLike<number>;
  /** Where several ranks share it: the samples of all of them. */
  readonly shared?: number;
}

export interface Training {
  /** Over labels, or over several views of each sample: then each sample is as many views, as the loss compares. */
  readonly loss: Loss | ViewsLoss;
  readonly optimizer: Optimizer;
  /** Added at every update after its burn-in; a spectral one needs a `spectralTick`. */
  readonly regularizer?: Regularizer;
  /** Perturbs each batch against the weights of its update, which then learn from the perturbed batch: `projectedGradient`. */
  readonly adversary?: Adversary | undefined;
  /**
   * How many batches make one update, whose gradient is the mean over all their samples: so a batch that is too large for the
   * device is given in parts. The last update of an epoch takes what is left. By default each batch makes one.
   */
  readonly accumulate?: number;
  /** Of the initial weights, and of an adversary's random starts. */
  readonly seed: number;
}

/** The training step as a stage, for an engine that owns its state: `serial`, a benchmark. */
export interface AccumulatingStage extends Serial<Batch, Update, TrainState> {
  /** The state as of its update, without the batches since. */
  save(state: TrainState): Data;
  load(data: Data): TrainState;
  /** The update that left this state, without a step; at the start update 0, the initial weights. */
  repeat(state: TrainState): Update;
  /** Disposes of the state's tensors. */
  dispose(state: TrainState): void;
}

/** The same where each batch makes an update. */
export interface TrainStage extends AccumulatingStage {
  next(state: TrainState, batch: Batch): readonly [state: TrainState, output: Update];
}

/**
 * Trains on each batch, and emits the update: one update of the weights for each batch, or for `accumulate` of them, by loss,
 * gradient, regularizer (from the end of its burn-in) and optimizer. The first update emitted is 0, the initial weights.
 *
 * One training, many listeners: the next update waits for those that claimed the weights of this one. Where a run has several
 * ranks, each learns from its share of every batch, and the update is that of all of them.
 *
 *   batches             a--b--c--d--e--f--    e is the last of an epoch
 *   train            0--1--2--3--4--5--6--
 *   accumulate: 2    0-----1-----2--3-----
 *
 * With `accumulate` an update is that of one batch of all samples, up to rounding. Two things see each batch by itself: batch
 * normalizations, which move their running statistics at each, as in PyTorch; and a regularizer on features, which is the mean
 * over the batches. A regularizer on weights is added once.
 *
 * State: weights, the optimizer's memory, the sums over the epoch, and the gradients of the batches since the last update.
 * Bound: one batch. Order: that of the batches. Failure: a batch that the model does not take, a loss that is not finite.
 *
 * Sizes that cannot work are refused when the graph is wired, or else at the first batch (`checkBatches`).
 *
 * @throws {WeirError} for an `accumulate` that is no count, or more than 1 with a loss over views
 * @example batches$.pipe(train(model, { loss: crossEntropy(), optimizer: sgd({ rate: 0.1 }), regularizer, seed }))
 */
export const train = (model: Model, training: Training): OperatorFunction<Batch, Update & WithLease> =>
  serial(trainStage(model, training));

/**
 * The stage that `train` lifts. It owns the tensors of its state: `next` takes the state it is given and disposes of what it
 * replaces, so an earlier state must not be used again.
 *
 * @throws {WeirError} as `train` does
 */
export function trainStage(model: Model, training: Training & { readonly accumulate?: 1 }): TrainStage;
export function trainStage(model: Model, training: Training): AccumulatingStage;
export function trainStage(model: Model, training: Training): AccumulatingStage {
  const {
    loss,
    optimizer,
    regularizer,
    adversary,
    accumulate = 1,
    seed,
  } = checkOptions('train', training, {
    loss: 'required',
    optimizer: 'required',
    regularizer: 'optional',
    adversary: 'optional',
    accumulate: 'optional',
    seed: 'required',
  });
  checkLoss('train', loss);
  checkAccumulate(accumulate, loss);
  checkOptimizer('train', optimizer);
  if (regularizer !== undefined) checkRegularizer(regularizer);
  const perturb = adversary && checkAdversary(adversary, loss).against(model, loss as Loss, seed);
  const [adding, addingOfBatch] = regularizer === undefined ? [] : [watched(regularizer), watched(regularizer)];
  let checked = false;
  const made = { optimizer, loss: loss.name, regularizer: regularizer?.kind ?? 'none' };
  let shapes: Shapes | undefined;
  let known: MatchedClasses | undefined; // not state: computed again when the graph is wired
  const begin = (): Weights => {
    const weights = model.start(seed);
    shapes = shapesOf(weights);
    return weights;
  };
  const activeAt = (epoch: number): Regularizer | undefined => (regularizer?.active(epoch) ? regularizer : undefined);

  /** The update by the gradients of its batches. */
  function moved(
    state: TrainState,
    group: AccumulatedBatches,
    batches?: ExpectedBatches['batches'],
  ): [TrainState, Update] {
    const { learned, samples, position, epoch, remaining } = acrossRanks(group, processGroup());
    const fresh = state.endsEpoch;
    const at = { epoch, number: state.number + 1 };
    const updatesInEpoch = batches ? Math.ceil(batches.count / accumulate) : state.updatesInEpoch;
    const active = activeAt(epoch);
    if (active !== undefined)
      adding?.(state.weights, learned.gradients, () =>
        active.addGradients?.({ weights: state.weights }, learned.gradients),
      );
    const given = shapesOf(state.weights);
    const result = optimizer.move(state.weights, learned.gradients, state.memory, at);
    checkMoved(optimizer, given, result);
    const { weights, memory } = result;
    const [losses, correct] = tf.tidy(() => {
      const added = tf.mul(learned.loss, samples);
      return fresh
        ? [added, tf.clone(learned.correct)]
        : [tf.add(state.losses, added), tf.add(state.correct, learned.correct)];
    }) as [tf.Scalar, tf.Scalar];
    tf.dispose([learned.correct, state.loss, state.losses, state.correct]);
    const next: TrainState = {
      weights: withStatistics(weights, learned.statistics),
      memory,
      ...at,
      endsEpoch: remaining === 0,
      position,
      ...(updatesInEpoch !== undefined && { updatesInEpoch }),
      loss: learned.loss,
      losses,
      correct,
      samples: fresh ? samples : state.samples + samples,
      ...metadataOf(state),
    };
    return [next, updateOf(next, made)];
  }

  const metadataOf = ({ metadata = known?.metadata }: TrainState): Pick<TrainState, 'metadata'> =>
    metadata ? { metadata } : {};

  function check(planned: ExpectedBatches): void {
    checkBatches({ model, loss, regularizer }, planned, processGroup());
    checked = planned.batches !== undefined;
  }

  /** Loss and gradients of a batch. */
  function learnedFrom(weights: Weights, given: Batch, shared: number): Learned {
    const batch = known === undefined ? given : { ...given, labels: known.labels(given.labels) };
    if (isOfViews(loss)) checkEven(loss, shared, processGroup());
    if (batch.labels.length === 0) return nothingLearned(model, weights, processGroup());
    const [clean, labels] = inputsOf(model, loss, batch);
    const x = perturb === undefined ? clean : perturb(weights, { ...batch, x: clean, labels });
    if (x !== clean) clean.dispose();
    const active = activeAt(batch.epoch);
    const learned = gradientsOf(model, loss, weights, x, labels, active?.featuresGradient?.bind(active));
    if (active !== undefined)
      addingOfBatch?.(weights, learned.gradients, () =>
        active.addSampleGradients?.({ weights, x, labels }, learned.gradients),
      );
    tf.dispose([x, labels]);
    return learned;
  }

  return {
    name: 'train',
    record: updateRecord,
    inputs: model.inputs ?? [],

    start: () => firstState(begin()),

    introduce(incoming, state) {
      for (const header of incoming) check(header);
      known = matchClasses('train', model, incoming, { before: state.metadata, labeled: !isOfViews(loss) });
      return withLength(known.headers, trainingLength(incoming, accumulate));
    },

    remarks: (_, training) =>
      training === undefined
        ? []
        : remarksOnLength(training, { rate: optimizer.rate, ...(regularizer && { regularizer }) }),

    next(state, batch) {
      if (!checked) check(batch); // where no header announced the sizes
      const samples = batch.labels.length;
      const shared = batch.shared ?? samples * processGroup().ranks;
      const learned = learnedFrom(metBy(state), batch, shared);
      const group = withBatch(state.group, learned, { samples, shared }, batch);
      const whole = group.batches === accumulate || batch.remaining === 0;
      return whole ? moved(state, group, batch.batches) : [{ ...state, group }];
    },

    flush: (state) => state.group && moved(state, state.group),

    repeat: (state) => updateOf(state, made),

    save: (state) =>
      ({
        ...savedState({ ...state, ...metadataOf(state) }, loss.name),
        regularizer: regularizer?.save?.() ?? null,
      }) as unknown as Data,

    load(data) {
      const { regularizer: carried, ...saved } = data as unknown as SavedState & { readonly regularizer: Data };
      if (shapes !== undefined) checkShapes(model, shapes, saved.weights);
      regularizer?.load?.(carried);
      return restoredState(saved);
    },

    dispose: disposeState,

    settingsAt: (at) => ({
      'learning rate': optimizer.rate(at),
      'learning rates of some weights': optimizer.ownRates?.(at) ?? [],
      regularizer: activeAt(at.epoch)?.kind ?? 'none',
      ...(adversary && { adversary: adversary.name }),
    }),
  };
}

/** The weights for the next batch: those of the update, with the running statistics as the batches since have moved them. */
function metBy({ weights, group }: TrainState): Weights {
  const statistics = group?.learned.statistics;
  return statistics === undefined ? weights : new Map([...weights, ...statistics]);
}

/** The weights with this update's running statistics in the place of the old ones, which are disposed of. */
function withStatistics(weights: Weights, statistics: Weights | undefined): Weights {
  if (statistics === undefined) return weights;
  tf.dispose([...statistics.keys()].map((name) => weights.get(name)!));
  return new Map([...weights].map(([name, tensor]) => [name, statistics.get(name) ?? tensor]));
}
