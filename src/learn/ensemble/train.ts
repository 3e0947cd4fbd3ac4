import type { OperatorFunction } from 'rxjs';
import type { Data } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import type { WithLease } from '../../flow/lease.js';
import { checkNumbers, checkOptions } from '../../flow/options.js';
import { type Serial, serial } from '../../flow/serial.js';
import { processGroup } from '../../tensorflow/collectives/process-group.js';
import { tf } from '../../tensorflow/tf.js';
import { type MatchedClasses, matchClasses, type NetworkMetadata } from '../metadata.js';
import { type Weights, weight } from '../model/model.js';
import { ratesOf } from '../optimizer/rates.js';
import { type Schedule, scheduled } from '../optimizer/schedule.js';
import type { SgdOptions } from '../optimizer/sgd.js';
import type { Batch } from '../train.js';
import { remarksOnLength, trainingLength, withLength } from '../training-length.js';
import { updateRecord } from '../update.js';
import { checkShapes, restoreTensors, type SavedTensors, savedTensors } from '../weights/saved-tensors.js';
import { type Ensemble, type EnsembleUpdate, membersKey } from './ensemble.js';
import type { EnsembleRegularizer } from './regularizer.js';
import { ensembleUpdate } from './step.js';

export interface EnsembleTraining {
  /** SGD as `sgd` has it; the weights of a member are one tensor, and have one rate. */
  readonly sgd: Pick<SgdOptions, 'rate' | 'momentum' | 'decay'>;
  /** Added at every update after its burn-in; it needs an `ensembleTick`. */
  readonly regularizer?: EnsembleRegularizer;
}

/** All that the next update depends on. Its tensors belong to the training step. */
export interface EnsembleState {
  readonly weights: Weights;
  /** Velocities, under the same name as the weights. */
  readonly memory: Weights;
  /** By member: mean loss of the last batch; loss and correct samples, summed over the epoch so far. [E, 3] */
  readonly sums: tf.Tensor;
  readonly number: number;
  readonly epoch: number;
  readonly endsEpoch: boolean;
  readonly position: number;
  /** Samples of the epoch so far. */
  readonly samples: number;
  /** Metadata of the network; undefined before the headers of the batches have come. */
  readonly metadata?: NetworkMetadata;
}

export interface EnsembleStage extends Serial<Batch, EnsembleUpdate, EnsembleState> {
  next(state: EnsembleState, batch: Batch): readonly [state: EnsembleState, output: EnsembleUpdate];
  dispose(state: EnsembleState): void;
}

/**
 * Trains all members of an ensemble on each batch, as `train` does one network: each by its own mean cross-entropy, gradient,
 * regularizer (from the end of the burn-in) and SGD. The first update emitted is 0, the initial weights.
 *
 * Members are independent: each ends in the same bits as in an ensemble of one.
 *
 * State: weights, velocities and the sums over the epoch. Bound: one batch. Order: that of the batches. Failure: a batch that the
 * members do not take, a loss that is not finite.
 *
 * @example batches$.pipe(trainEnsemble(networks, { sgd: { rate: 1, momentum: 0.9 }, regularizer: ofNetworks }))
 */
export const trainEnsemble = (
  ensemble: Ensemble,
  training: EnsembleTraining,
): OperatorFunction<Batch, EnsembleUpdate & WithLease> => serial(ensembleStage(ensemble, training));

/**
 * The stage that `trainEnsemble` lifts. It owns the tensors of its state: `next` takes the state it is given and disposes of what
 * it replaces.
 */
export function ensembleStage(ensemble: Ensemble, training: EnsembleTraining): EnsembleStage {
  const { sgd, regularizer } = checkOptions('trainEnsemble', training, { sgd: 'required', regularizer: 'optional' });
  const { members, layout } = ensemble;
  const {
    rate,
    momentum = 0,
    decay = 0,
  } = checkOptions('sgd of trainEnsemble', sgd, { rate: 'required', momentum: 'optional', decay: 'optional' });
  checkNumbers('sgd of trainEnsemble', { momentum }, { below: 1 });
  checkNumbers('sgd of trainEnsemble', { decay });
  const rateOf = ratesOf('sgd of trainEnsemble', rate, []);
  const rateAt: Schedule = (at) => rateOf([membersKey], at)(membersKey);
  const unregularized = new Float32Array(members.length * layout.layers.length);
  let known: MatchedClasses | undefined; // not state: computed again when the graph is wired
  const nowhere = new Float32Array(members.length * layout.inputs);

  return {
    name: 'train',
    record: updateRecord,

    start() {
      if (processGroup().ranks > 1) throw alone();
      const weights = ensemble.start();
      return {
        weights,
        memory: new Map([[membersKey, tf.zerosLike(weight(weights, membersKey))]]),
        sums: tf.zeros([members.length, 3]),
        number: 0,
        epoch: 0,
        endsEpoch: true,
        position: 0,
        samples: 0,
      };
    },

    introduce(incoming, state) {
      known = matchClasses('train', ensemble.model, incoming, { before: state.metadata, labeled: true });
      return withLength(known.headers, trainingLength(incoming));
    },

    remarks: (_, training) =>
      training === undefined
        ? []
        : remarksOnLength(training, {
            rate: scheduled(rate),
            ...(regularizer && { regularizer: { kind: 'spectral', active: regularizer.active } }),
          }),

    next(state, batch) {
      checkBatch(ensemble, batch);
      const at = { epoch: batch.epoch, number: state.number + 1 };
      const before = { members: weight(state.weights, membersKey), velocity: weight(state.memory, membersKey) };
      const { values: x } = batch;
      const labels = known?.labels(batch.labels) ?? batch.labels;
      const metadata = state.metadata ?? known?.metadata;
      const active = regularizer?.active(batch.epoch) ? regularizer : undefined;
      if (active !== undefined) {
        if (!active.ticked) throw unticked();
        // where the burn-in ended between two ticks, the directions begin here
        active.newest ??= active.begin(ensemble.rows(state.weights));
      }
      const moved = ensembleUpdate(layout, {
        ...before,
        x,
        labels,
        momentum,
        decay,
        gammas: active?.gammas ?? unregularized,
        directions: active?.newest?.v ?? nowhere,
        rate: rateAt(at),
        fresh: state.endsEpoch,
        sums: state.sums,
      });
      tf.dispose([before.members, before.velocity, state.sums]);
      const next: EnsembleState = {
        weights: new Map([[membersKey, moved.members]]),
        memory: new Map([[membersKey, moved.velocity]]),
        sums: moved.sums,
        ...at,
        endsEpoch: batch.remaining === 0,
        position: batch.position,
        samples: (state.endsEpoch ? 0 : state.samples) + labels.length,
        ...(metadata && { metadata }),
      };
      return [next, update(ensemble, next, rateAt)];
    },

    repeat: (state) => update(ensemble, state, rateAt),

    settingsAt: (at) => ({
      'learning rate': rateAt(at),
      regularizer: regularizer?.active(at.epoch) === true ? 'active' : 'none',
    }),

    save({ weights, memory, sums, ...counts }) {
      finite(ensemble, counts.number, sums.dataSync<'float32'>());
      return {
        ...counts,
        weights: savedTensors(weights),
        memory: savedTensors(memory),
        sums: savedTensors(new Map([['sums', sums]])),
        regularizer: regularizer?.save() ?? null,
      };
    },

    load(data) {
      const { weights, memory, sums, regularizer: carried, ...counts } = data as unknown as Saved;
      checkShapes(ensemble, new Map([[membersKey, [members.length, layout.parameters]]]), weights);
      regularizer?.load(carried);
      return {
        ...counts,
        weights: restoreTensors(weights),
        memory: restoreTensors(memory),
        sums: restoreTensors(sums).get('sums')!,
      };
    },

    dispose({ weights, memory, sums }) {
      tf.dispose([...weights.values(), ...memory.values(), sums]);
    },
  };
}

/** A state as plain data. */
type Saved = Omit<EnsembleState, 'weights' | 'memory' | 'sums'> & {
  readonly weights: SavedTensors;
  readonly memory: SavedTensors;
  readonly sums: SavedTensors;
  readonly regularizer: Data;
};

function update(ensemble: Ensemble, state: EnsembleState, rateAt: Schedule): EnsembleUpdate {
  const { weights, number, epoch, endsEpoch, position, samples } = state;
  let read: Float32Array | undefined; // off the device once, for all members
  const sums = (): Float32Array => {
    read ??= finite(ensemble, number, state.sums.dataSync<'float32'>().slice());
    return read;
  };
  const mean = (column: number): number => {
    const all = sums();
    let sum = 0;
    for (let m = 0; m < ensemble.members.length; m++) sum += all[3 * m + column]!;
    return sum / ensemble.members.length;
  };
  return {
    weights,
    number,
    epoch,
    endsEpoch,
    position,
    ...(number > 0 && { rate: rateAt({ epoch, number }) }),
    loss: () => mean(0),
    epochLoss: () => (samples === 0 ? null : mean(1) / samples),
    epochAccuracy: () => (samples === 0 ? null : mean(2) / samples),
    of: (member) => ({
      loss: () => sums()[3 * member]!,
      epochLoss: () => (samples === 0 ? null : sums()[3 * member + 1]! / samples),
      epochAccuracy: () => (samples === 0 ? null : sums()[3 * member + 2]! / samples),
    }),
  };
}

/** The sums, if every loss is finite: where a member has diverged the run ends, and its last good snapshot stays. */
function finite({ members }: Ensemble, update: number, sums: Float32Array): Float32Array {
  const odd = members.findIndex((_, m) => !Number.isFinite(sums[3 * m]));
  if (odd === -1) return sums;
  throw new WeirError(
    `training diverged: the loss of '${members[odd]!.name}' is ${sums[3 * odd]} at update ${update}`,
    'take a smaller learning rate or γ, and go on from the last snapshot or start again',
  );
}

function checkBatch({ name, members, layout }: Ensemble, { values, labels, sampleShape }: Batch): void {
  const classes = layout.sizes.at(-1)!;
  if (values.length !== labels.length * members.length * layout.sizes[0]!) {
    throw new WeirError(
      `${name} was given samples of shape [${sampleShape.join(', ')}]`,
      `give every member its own point: samples of shape [${members.length}, ${layout.sizes[0]}]`,
    );
  }
  const odd = labels.find((label) => label >= classes);
  if (odd !== undefined) {
    throw new WeirError(`${name} was given a sample with the label ${odd}`, `labels go from 0 to ${classes - 1}`);
  }
}

const alone = (): WeirError =>
  new WeirError(
    'an ensemble was to be trained by several ranks',
    'leave --ranks out: it is one process’s work for its networks',
  );

const unticked = (): WeirError =>
  new WeirError(
    'the regularizer of an ensemble is on, but no tick refreshes its directions',
    'wire one: updates$.pipe(every({ updates: 1 }), ensembleTick(networks, regularizer)), and return its stream',
  );
