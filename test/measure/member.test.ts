import { beforeAll, expect, test } from 'vitest';
import { xor } from '../../src/data/datasets/synthetic.js';
import { type EnsembleUpdate, ensemble } from '../../src/learn/ensemble/ensemble.js';
import { accuracy, memberAccuracy } from '../../src/measure/accuracy/accuracy.js';
import { tangentAttack } from '../../src/measure/attack/tangent-attack.js';
import { eachMember } from '../../src/measure/member.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const networks = ensemble(
  [2, 4, 2],
  [1, 2, 3].map((seed) => ({ name: `none-s${seed}`, seed, regularizer: 'none' as const })),
);
const points = (seed: number) => xor({ seed, noise: { perCorner: 2 } });

function update(): EnsembleUpdate {
  const numbers = (m: number) => ({ loss: () => m, epochLoss: () => m, epochAccuracy: () => m });
  return { position: 4, number: 1, epoch: 1, endsEpoch: true, weights: networks.start(), ...numbers(-1), of: numbers };
}

// biome-ignore lint/suspicious/noExplicitAny: of any stage
const said = (steps: any): any[] => [...(steps as Iterable<unknown[]>)].flatMap((step) => step.slice(1));

test('a stage says of each member what it says of that network alone, under its name; some may be passed over', () => {
  const options = { samples: 8, seed: 0, iterations: 2, group: 8, choose: 'all', box: { min: -2, max: 2 } } as const;
  const make = (seed: number) => tangentAttack(networks.model, points(seed), options);
  const stage = eachMember(networks, ({ seed }) => (seed === 2 ? undefined : make(seed)));
  const given = update();
  const found = said(stage.next(stage.start(), given));
  const wanted = [0, 2].flatMap((m) => {
    const { seed, name } = networks.members[m]!;
    const alone = networks.model.start(seed);
    const one = make(seed);
    const results = said(one.next(one.start(), { ...given, weights: alone }));
    tf.dispose([...alone.values()]);
    return results.map((result) => ({ ...result, network: name }));
  });
  expect(found.length).toBe(16);
  expect(found).toEqual(wanted);
  expect(stage.name).toBe('tangent attack');
  tf.dispose([...given.weights.values()]);
});

test('left in the middle of a member it leaves no tensors behind', () => {
  const stage = eachMember(networks, ({ seed }) => accuracy(networks.model, points(seed), { batch: 1 }));
  const given = update();
  const before = tf.memory().numTensors;
  for (const _ of stage.next(stage.start(), given) as Iterable<unknown>) break;
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose([...given.weights.values()]);
});

test('accuracy and loss of all members at once are those of each by itself', () => {
  const given = update();
  const ofAll = said(memberAccuracy(networks, ({ seed }) => points(seed)).next(0, given));
  const each = eachMember(networks, ({ seed }) => accuracy(networks.model, points(seed)));
  const apart = said(each.next(each.start(), given));
  expect(ofAll.map(({ network, accuracy }) => [network, accuracy])).toEqual(
    apart.map(({ network, accuracy }) => [network, accuracy]),
  );
  ofAll.forEach(({ loss }, m) => {
    expect(loss).toBeCloseTo(apart[m].loss, 6);
  });
  tf.dispose([...given.weights.values()]);
});
