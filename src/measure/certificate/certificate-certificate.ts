import { samplesInput } from '../../data/input.js';
import type { Stage, Step } from '../../flow/core-stage.js';
import type { Positioned } from '../../flow/item.js';
import type { Update } from '../../learn/learn-update.js';
import type { Model } from '../../learn/model/model-model.js';
import type { ByNorm } from '../../learn/model/part.js';
import { correctOnes, LOOKED_AT, shuffled } from '../choose.js';
import { byName, inputLength, type LabeledSamples, type Normalization, writeInput } from '../measure-inputs.js';
import { checkCount } from '../options.js';
import type { Bounds } from './bounds.js';
import { byNorm } from './certificate-lipschitz.js';
import { type CertifierOptions, certifier } from './certifier.js';

/** What is certain, and what is likely, of one sample of the network of one update. Plain data. */
export interface Certificate extends Positioned, Bounds {
  readonly number: number;
  readonly epoch: number;
  /** Which sample of the data set. */
  readonly index: number;
  readonly label: number;
}

export interface CertificateOptions extends CertifierOptions {
  /** How many samples, at most. */
  readonly samples: number;
  /** Of the order, and of what is drawn. With that of a Tangent Attack, and its `shuffle` and `choose`, the samples are the same. */
  readonly seed: number;
  readonly shuffle?: boolean;
  /** `correct` passes over samples that the model gets wrong; `all` reports them with their outcome. */
  readonly choose?: 'correct' | 'all';
  /** R of the local estimate, in input units, one for all norms or each its own; by default as far as it matters. */
  readonly radius?: number | ByNorm<number>;
  readonly normalize?: Normalization;
}

/** Where it stands: samples of the order looked through, done among the next so many, and certificates given. */
export type CertificateState = { readonly scanned: number; readonly done: number; readonly given: number };

const REST: CertificateState = { scanned: 0, done: 0, given: 0 };

/**
 * Lemma 1's lower bounds on the adversarial distance (paper, (3) and (A.1)), sample by sample, on the weights of each update it is given:
 * a rigorous one from the layers' norms, loose for deep networks, and an estimate from slopes met nearby (`certifier`).
 *
 * Bound: the points of one ball on the device; the engine breathes after each sample. Order: that of the attack. State:
 * `CertificateState`. Failure: samples that the model does not take, a model without parts or without a Jacobian; what happens
 * to a single sample is its outcome.
 *
 * @example updates$.pipe(atEnd(), certificate(model, test, { samples: 100, seed }))
 */
export function certificate(
  model: Model,
  given: LabeledSamples,
  options: CertificateOptions,
): Stage<Update, Certificate, CertificateState> {
  const { samples: wanted, seed, shuffle = true, choose = 'correct', radius, normalize } = options;
  const name = 'certificate';
  const samples = byName(name, model, given);
  const length = inputLength(name, model, samples);
  checkCount(name, { samples: wanted });
  const certify = certifier(name, model, options);
  const R = typeof radius === 'number' ? byNorm(() => radius) : radius;

  return {
    name,
    claims: 'weights',
    inputs: [samplesInput(given)],
    introduce: samples.introduce,
    start: () => REST,
    *next(state, { position, number, epoch, weights }): Generator<Step<CertificateState, Certificate>> {
      const order = shuffle ? shuffled(samples.size, seed) : Uint32Array.from({ length: samples.size }, (_, i) => i);
      const boundsOf = certify(weights);
      let { scanned, done, given } = state;
      while (scanned < samples.size && given < wanted) {
        const chosen =
          choose === 'all'
            ? order.subarray(scanned, scanned + LOOKED_AT)
            : correctOnes(model, weights, samples, order, scanned, normalize);
        while (done < chosen.length && given < wanted) {
          const index = chosen[done]!;
          const label = samples.labels[index]!;
          const x = new Float32Array(length);
          writeInput(samples, index, x, 0, normalize);
          const bounds = boundsOf(x, label, index, R);
          done++;
          given++;
          yield [
            { scanned, done, given },
            { position, number, epoch, index, label, ...bounds },
          ];
        }
        if (given === wanted) break;
        scanned += LOOKED_AT;
        done = 0;
        yield [{ scanned, done, given }];
      }
      yield [REST];
    },
  };
}
