import type { Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { key, quantity, record, z } from '../storage/record.js';
import { tf } from '../tensorflow/tf.js';
import { type AccumulatedBatches, disposeAccumulated } from './accumulate.js';
import type { NetworkMetadata } from './metadata.js';
import type { Weights } from './model/model.js';
import type { Optimizer } from './optimizer/optimizer.js';
import { restoreTensors, type SavedTensors, savedTensors } from './weights/saved-tensors.js';

/**
 * The output of the training step after an update. The weights are those of this update until every claim on them is released.
 * Numbers stay on the device until a caller reads them, and can be read for as long as the weights are claimed.
 */
export interface Update extends Positioned {
  /** Updates so far. */
  readonly number: number;
  /** Counted from 1. */
  readonly epoch: number;
  readonly endsEpoch: boolean;
  /** Updates of every epoch, where it is known. */
  readonly updatesInEpoch?: number;
  /** The learning rate of this update, for weights without one of their own; undefined at update 0. */
  readonly rate?: number;
  /** The kind of the term that is added to the loss, 'none' where there is none: of update 0 and the last of each epoch. */
  readonly regularizer?: string;
  /** Read only. */
  readonly weights: Weights;
  /** Averages of the weights over the updates, where the optimizer keeps them: `averaged` puts them in the place of the weights. */
  readonly averages?: Weights;
  /** Mean loss of this update's batch before the update, without the regularizer; of labels in nats. */
  loss(): number;
  /** Mean loss over this epoch's samples so far, each as its batch met it; null at update 0, before any. */
  epochLoss(): number | null;
  /**
   * Part of this epoch's samples so far that were classified correctly, or whose views were matched, each as its batch met it;
   * null where the loss counts none, and at update 0.
   */
  epochAccuracy(): number | null;
}

/** What is logged of an update. */
export const updateRecord = record({
  name: 'training',
  role: 'training',
  fields: {
    endsEpoch: z.boolean(),
    updatesInEpoch: key(z.int()).optional(),
    rate: quantity({ label: 'learning rate', scale: 'log' }).optional(),
    regularizer: z.string().optional(),
    loss: quantity({ label: 'loss', scale: 'log', better: 'lower' }),
    epochLoss: quantity({ label: 'loss', scale: 'log', better: 'lower', over: 'epoch', headline: true }).nullable(),
    epochAccuracy: quantity({
      label: 'accuracy',
      unit: 'fraction',
      better: 'higher',
      over: 'epoch',
      headline: true,
    }).nullable(),
  },
});

/** All that the next update depends on. Its tensors belong to the training step. */
export interface TrainState {
  readonly weights: Weights;
  /** What the optimizer remembers, such as velocities. */
  readonly memory: Weights;
  readonly number: number;
  readonly epoch: number;
  readonly endsEpoch: boolean;
  readonly position: number;
  /** Updates of every epoch, where the source of the batches has announced its sizes. */
  readonly updatesInEpoch?: number;
  /** Loss of the last update, a scalar on the device; the next two are sums over the samples of the epoch so far. */
  readonly loss: tf.Scalar;
  readonly losses: tf.Scalar;
  readonly correct: tf.Scalar;
  /** Samples of the epoch so far. */
  readonly samples: number;
  /** Metadata of the network; undefined before the headers of the batches have come. */
  readonly metadata?: NetworkMetadata;
  /** The batches since this update, where the next one takes several. Not saved: they come again. */
  readonly group?: AccumulatedBatches;
}

/** The state before the first update. */
export const firstState = (weights: Weights): TrainState => ({
  weights,
  memory: new Map(),
  number: 0,
  epoch: 0,
  endsEpoch: true,
  position: 0,
  loss: tf.scalar(0),
  losses: tf.scalar(0),
  correct: tf.scalar(0),
  samples: 0,
});

/** The parts of the training that an update names. */
export interface MadeWith {
  readonly optimizer: Pick<Optimizer, 'rate' | 'averages'>;
  /** The name of the loss, for messages. */
  readonly loss: string;
  /** The kind of the term that is added to the loss; 'none' where there is none. */
  readonly regularizer: string;
}

/** The update that left this state. */
export function updateOf(state: TrainState, { optimizer, loss: lossName, regularizer }: MadeWith): Update {
  const { weights, memory, number, epoch, endsEpoch, position, updatesInEpoch, loss, losses, correct, samples } = state;
  return {
    weights,
    number,
    epoch,
    endsEpoch,
    position,
    ...(updatesInEpoch !== undefined && { updatesInEpoch }),
    ...(number > 0 && { rate: optimizer.rate({ epoch, number }) }),
    ...(endsEpoch && { regularizer }),
    ...(optimizer.averages && { averages: optimizer.averages(weights, memory) }),
    loss: () => finite(inTime(loss, number), number, lossName),
    epochLoss: () => (samples === 0 ? null : inTime(losses, number) / samples),
    epochAccuracy() {
      const found = inTime(correct, number);
      return samples === 0 || Number.isNaN(found) ? null : found / samples;
    },
  };
}

/** A state as plain data. */
export interface SavedState
  extends Pick<TrainState, 'number' | 'epoch' | 'endsEpoch' | 'position' | 'updatesInEpoch' | 'samples'> {
  readonly loss: number;
  readonly losses: number;
  readonly correct: number;
  readonly weights: SavedTensors;
  readonly memory: SavedTensors;
  readonly metadata?: NetworkMetadata;
}

/** Copies a state off the device, as of its update. @throws {WeirError} where its loss, of that name, is not finite */
export function savedState(state: TrainState, lossName: string): SavedState {
  const { weights, memory, number, epoch, endsEpoch, position, updatesInEpoch, samples, metadata } = state;
  const { loss, losses, correct } = state;
  return {
    number,
    epoch,
    endsEpoch,
    position,
    samples,
    ...(updatesInEpoch !== undefined && { updatesInEpoch }),
    ...(metadata && { metadata }),
    loss: finite(read(loss), number, lossName),
    losses: read(losses),
    correct: read(correct),
    weights: savedTensors(weights),
    memory: savedTensors(memory),
  };
}

/** Puts it back, to the bit. */
export function restoredState({ weights, memory, loss, losses, correct, ...counts }: SavedState): TrainState {
  return {
    ...counts,
    weights: restoreTensors(weights),
    memory: restoreTensors(memory),
    loss: tf.scalar(loss),
    losses: tf.scalar(losses),
    correct: tf.scalar(correct),
  };
}

/** Disposes of the state's tensors. */
export function disposeState({ weights, memory, loss, losses, correct, group }: TrainState): void {
  tf.dispose([...weights.values(), ...memory.values(), loss, losses, correct]);
  if (group !== undefined) disposeAccumulated(group);
}

/** The loss, if it is finite: a run that diverged ends here, and its last good snapshot stays. */
function finite(loss: number, update: number, name: string): number {
  if (Number.isFinite(loss)) return loss;
  throw new WeirError(
    `training diverged: the loss is ${loss} at update ${update}`,
    update === 1
      ? `the initial weights gave it: see that loss '${name}' and its gradient are finite at any logits, and the data too`
      : `take a smaller learning rate or γ, see that loss '${name}' has a finite gradient, and go on from the last snapshot or start again`,
  );
}

/** Reads a number of an update. @throws {WeirError} where an operator held the update back until its tensors were disposed of */
function inTime(scalar: tf.Scalar, update: number): number {
  if (!scalar.isDisposed) return read(scalar);
  throw new WeirError(
    `the loss of update ${update} is read too late: training has moved on, and its numbers are gone`,
    'read them when the update arrives: put no delay, debounce or buffer between the training and what reads or logs its updates',
  );
}

const read = (scalar: tf.Scalar): number => scalar.dataSync()[0]!;
