import type { Data } from '../core/data.js';
import { WeirError } from '../core/errors.js';
import type { Positioned } from '../core/item.js';
import type { Stage } from '../core/stage.js';
import { tf } from './device/tf.js';
import { inputsOf } from './inputs.js';
import { gradientsOf } from './loss/gradients.js';
import type { Loss } from './loss/loss.js';
import type { ViewsLoss } from './loss/views-loss.js';
import type { Model, Weights } from './model/model.js';
import type { Optimiser } from './optimiser/optimiser.js';
import type { Regulariser } from './regulariser/regulariser.js';
import { checkShapes, restoreTensors, type Shapes, savedTensors, shapesOf } from './saved.js';
import type { Update } from './update.js';

/** A batch, as far as training reads it. */
export interface Batch extends Positioned {
  /** Counted from 1. */
  readonly epoch: number;
  /** Samples of the epoch still to come. */
  readonly remaining: number;
  /** Shape of one sample; of several views of it [views, ...]. */
  readonly sampleShape: readonly number[];
  /** [n, ...sampleShape]. */
  readonly values: Float32Array;
  /** [n]. */
  readonly labels: Uint8Array;
}

/** All that the next update depends on. Its tensors belong to the training step. */
export interface TrainState {
  readonly weights: Weights;
  /** What the optimiser remembers, such as velocities. */
  readonly memory: Weights;
  readonly number: number;
  readonly epoch: number;
  readonly endsEpoch: boolean;
  readonly position: number;
  /** Loss of the last batch, a scalar on the device; the next two are sums over the samples of the epoch so far. */
  readonly loss: tf.Scalar;
  readonly losses: tf.Scalar;
  readonly correct: tf.Scalar;
  /** Samples of the epoch so far. */
  readonly samples: number;
}

export interface Training {
  /** Over labels, or over several views of each sample: then each sample is as many views, as the loss compares. */
  readonly loss: Loss | ViewsLoss;
  readonly optimiser: Optimiser;
  /** Its gradient is added at every update after its burn-in; a spectral one needs a `spectralTick`. */
  readonly penalty?: Regulariser;
  /** Of the first weights. */
  readonly seed: number;
}

/** The training step, with what an engine that owns it needs besides. */
export interface TrainStage extends Stage<Batch, Update, TrainState> {
  save(state: TrainState): Data;
  load(data: Data): TrainState;
  next(state: TrainState, batch: Batch): readonly [state: TrainState, output: Update];
  /** The update that left this state, without a step; at the start update 0, the initial weights. */
  repeat(state: TrainState): Update;
  /** Gives the state's tensors back. */
  dispose(state: TrainState): void;
}

/**
 * One update of the weights for each batch: loss, gradient, penalty (from the end of its burn-in), optimiser.
 *
 * State: weights, the optimiser's memory and the sums over the epoch. It owns their tensors: `next` takes the state it is given
 * and disposes of what it replaces, so an earlier state must not be used again.
 * Bound: one batch. Order: that of the batches. Failure: a batch that does not fit the model.
 *
 * @example trainStage(model, { loss: crossEntropy(), optimiser: sgd({ rate: 0.1, momentum: 0.9 }), penalty, seed })
 */
export function trainStage(model: Model, { loss, optimiser, penalty, seed }: Training): TrainStage {
  let shapes: Shapes | undefined;
  const begin = (): Weights => {
    const weights = model.start(seed);
    shapes = shapesOf(weights);
    return weights;
  };
  const stage: TrainStage = {
    name: 'train',

    start: () => ({
      weights: begin(),
      memory: new Map(),
      number: 0,
      epoch: 0,
      endsEpoch: true,
      position: 0,
      loss: tf.scalar(0),
      losses: tf.scalar(0),
      correct: tf.scalar(0),
      samples: 0,
    }),

    next(state, batch) {
      const n = batch.labels.length;
      const fresh = state.endsEpoch;
      const [x, labels] = inputsOf(model, loss, batch);
      const { weights } = state;
      const active = penalty?.active(batch.epoch) ? penalty : undefined;
      const learned = gradientsOf(model, loss, weights, x, labels, active?.featuresGradient?.bind(active));
      active?.addGradients?.({ weights, x, labels }, learned.gradients);
      tf.dispose([x, labels]);
      const at = { epoch: batch.epoch, number: state.number + 1 };
      const moved = optimiser.move(weights, learned.gradients, state.memory, at);
      const kept = withStatistics(moved.weights, learned.statistics);
      const [losses, correct] = tf.tidy(() => {
        const added = tf.mul(learned.loss, n);
        return fresh
          ? [added, tf.clone(learned.correct)]
          : [tf.add(state.losses, added), tf.add(state.correct, learned.correct)];
      }) as [tf.Scalar, tf.Scalar];
      tf.dispose([learned.correct, state.loss, state.losses, state.correct]);
      const next: TrainState = {
        ...{ weights: kept, memory: moved.memory },
        ...at,
        endsEpoch: batch.remaining === 0,
        position: batch.position,
        loss: learned.loss,
        losses,
        correct,
        samples: fresh ? n : state.samples + n,
      };
      return [next, update(next)];
    },

    repeat: update,

    save: ({ weights, memory, number, epoch, endsEpoch, position, loss, losses, correct, samples }) => ({
      ...{ number, epoch, endsEpoch, position, samples },
      ...{ loss: finite(read(loss), number), losses: read(losses), correct: read(correct) },
      weights: savedTensors(weights),
      memory: savedTensors(memory),
      penalty: penalty?.save?.() ?? null,
    }),

    load(data) {
      const { weights, memory, loss, losses, correct, penalty: carried, ...counts } = data as unknown as Saved;
      if (shapes !== undefined) checkShapes(model, shapes, weights);
      penalty?.load?.(carried);
      return {
        ...counts,
        weights: restoreTensors(weights),
        memory: restoreTensors(memory),
        loss: tf.scalar(loss),
        losses: tf.scalar(losses),
        correct: tf.scalar(correct),
      };
    },

    dispose({ weights, memory, loss, losses, correct }) {
      tf.dispose([...weights.values(), ...memory.values(), loss, losses, correct]);
    },
  };
  return stage;
}

/** What `save` makes of a state. */
type Saved = Pick<TrainState, 'number' | 'epoch' | 'endsEpoch' | 'position' | 'samples'> & {
  readonly weights: Parameters<typeof restoreTensors>[0];
  readonly memory: Parameters<typeof restoreTensors>[0];
  readonly loss: number;
  readonly losses: number;
  readonly correct: number;
  readonly penalty: Data;
};

function update({ weights, number, epoch, endsEpoch, position, loss, losses, correct, samples }: TrainState): Update {
  return {
    ...{ weights, number, epoch, endsEpoch, position },
    loss: () => finite(read(loss), number),
    epochLoss: () => read(losses) / samples,
    epochAccuracy: () => read(correct) / samples,
  };
}

/** The weights with this batch's running statistics in the place of the old ones, which are disposed of. */
function withStatistics(weights: Weights, statistics: Weights | undefined): Weights {
  if (statistics === undefined) return weights;
  tf.dispose([...statistics.keys()].map((name) => weights.get(name)!));
  return new Map([...weights].map(([name, tensor]) => [name, statistics.get(name) ?? tensor]));
}

/** A loss that can be gone on from: a diverged run ends here, with the last good snapshot kept. */
function finite(loss: number, update: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new WeirError(
    `training diverged: the loss is ${loss} at update ${update}`,
    'take a smaller learning rate or γ, and go on from the last snapshot or start again',
  );
}

const read = (scalar: tf.Scalar): number => scalar.dataSync()[0]!;
