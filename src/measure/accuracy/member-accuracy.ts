import { samplesInput } from '../../data/input.js';
import type { Stage } from '../../flow/core-stage.js';
import type { Ensemble, Member } from '../../learn/ensemble/ensemble-ensemble.js';
import { classOf, crossEntropyOf, forward, roomFor } from '../../learn/ensemble/ensemble-network.js';
import { memberRecords, type OfMember } from '../../learn/ensemble/records.js';
import type { EnsembleUpdate } from '../../learn/ensemble/update.js';
import { byName, inputLength, type LabeledSamples, writeInput } from '../measure-inputs.js';
import type { Accuracy } from './measure-accuracy.js';

/**
 * What `accuracy` measures, for every member of an ensemble on samples of its own, on the main thread: for small networks.
 *
 * Bound, order, state: those of `memberRecords`. Failure: samples that the members do not take. NaN logits make the loss NaN.
 *
 * @param samplesOf the samples of a member
 * @example updates$.pipe(every({ epochs: 50 }), memberAccuracy(networks, ({ seed }) => xor({ seed, noise: {} })))
 */
export function memberAccuracy(
  ensemble: Ensemble,
  samplesOf: (member: Member, index: number) => LabeledSamples,
): Stage<EnsembleUpdate, OfMember<Pick<Accuracy, 'accuracy' | 'loss'>>, number> {
  const { layout, model } = ensemble;
  const given = ensemble.members.map(samplesOf);
  const samples = given.map((one) => byName('accuracy', model, one));
  const length = Math.max(...samples.map((one) => inputLength('accuracy', model, one)));
  const pass = roomFor(layout);
  const x = new Float32Array(length);
  const stage = memberRecords('accuracy', ensemble, (update: EnsembleUpdate) => {
    const rows = ensemble.rows(update.weights);
    return (m) => {
      const own = samples[m]!;
      let correct = 0;
      let loss = 0;
      for (let i = 0; i < own.size; i++) {
        writeInput(own, i, x, 0);
        pass.inputs[0]!.set(x);
        forward(layout, rows, m * layout.parameters, pass);
        loss += crossEntropyOf(pass.logits, own.labels[i]!, { others: 0, total: 0 });
        if (classOf(pass.logits) === own.labels[i]) correct++;
      }
      return { accuracy: correct / own.size, loss: loss / own.size };
    };
  });
  return {
    ...stage,
    inputs: given.map((one) => samplesInput(one)),
    introduce(incoming) {
      for (const own of samples) own.introduce(incoming);
      return incoming;
    },
  };
}
