import type { Positioned } from '../../flow/data.js';
import type { WithLease } from '../../flow/lease.js';
import { checkOptions } from '../../flow/options.js';
import { type StageOperator, type Step, stage } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { wilson } from '../../plot/statistics.js';
import type { LabeledSamples } from '../inputs.js';
import { type ReadoutOptions, type ReadoutState, type Refitted, readout, readoutOptionKeys } from './readout.js';
import { type OnlineReadout, onlineReadoutRecord, type TestedFraction } from './record.js';

export interface OnlineReadoutOptions extends ReadoutOptions {
  /** Training samples that the readout is fitted on: the first so many. All by default. */
  readonly images?: number;
}

/** The state of the fit under way, and the result of the untrained network's. */
export type OnlineReadoutState = { readonly fit: ReadoutState; readonly untrained: TestedFraction | null };

const REST: ReadoutState = { phase: 'rest' };

/**
 * The accuracy of a readout while the representation is learned. At each update a multinomial logistic readout is fitted to the frozen
 * features and tested. Beside it stands the accuracy of a readout on the untrained network. The training itself is not changed.
 *
 *   updates                0-----1-----2|    0 is the untrained network: let it pass, as `every({ epochs: k })` does
 *   online readout         A-----B-----C|    B, C: their accuracy, and A's
 *
 * The fit is scikit-learn's by default, as that of `readout`. With `fit: 'converged'` it ends after at most 500 iterations. The record says
 * where it has not converged by then: features of badly scaled networks may need thousands. Bound, order, failure: those of `readout`.
 * State: `OnlineReadoutState`; a fit goes on after a resume as `readout`'s does.
 *
 * @param model the model whose feature map it is; its own readout is not used
 * @example updates$.pipe(every({ epochs: 5 }), onlineReadout(backbone, train, test, { images: 5000 }))
 */
export function onlineReadout(
  model: Model,
  train: LabeledSamples,
  test: LabeledSamples,
  given: OnlineReadoutOptions = {},
): StageOperator<Update & WithLease, OnlineReadout & Positioned, OnlineReadoutState> {
  const { images = train.size, ...options } = checkOptions('onlineReadout', given, {
    images: 'optional',
    ...readoutOptionKeys,
  });
  const size = Math.min(images, train.size);
  const length = train.values.length / train.size;
  const first = { size, labels: train.labels.subarray(0, size), values: train.values.subarray(0, size * length) };
  const fitted = readout(model, { ...train, ...first }, test, {
    ...(options.fit === 'converged' && { fitIterations: 500 }),
    ...options,
  });
  return stage<Update & WithLease, OnlineReadout & Positioned, OnlineReadoutState>({
    name: 'online readout',
    record: onlineReadoutRecord,
    claims: 'weights',
    inputs: fitted.inputs ?? [],
    start: () => ({ fit: REST, untrained: null }),
    introduce: (incoming, { fit }, declared) => fitted.introduce!(incoming, fit, declared),

    *next({ fit, untrained }, update): Generator<Step<OnlineReadoutState, OnlineReadout & Positioned>> {
      for (const [at, network] of fitted.next(fit, update) as Iterable<Step<ReadoutState, Refitted>>) {
        if (network === undefined) {
          yield [{ fit: at, untrained }];
          continue;
        }
        const { position, number, epoch, accuracy, trainAccuracy } = network;
        const { fit: how, iterations, iterationLimit, converged } = network;
        const found: TestedFraction = { accuracy, ...wilson(accuracy, test.size) };
        const first = number === 0 ? found : untrained;
        const fit = { fit: how, iterations, iterationLimit, converged };
        const measured = { loss: network.loss(), trainAccuracy, images: size, ...fit };
        yield [
          { fit: REST, untrained: first },
          { position, number, epoch, ...found, ...measured, untrained: first },
        ];
      }
    },
  });
}
