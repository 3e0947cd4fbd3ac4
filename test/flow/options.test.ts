import { expect, test } from 'vitest';
import * as weir from '../../src/index.js';

const model = weir.mlp([4, 3, 2]);
const samples = weir.dataset({ values: [0.1, 0.2, 0.3, 0.4], labels: [0], sampleShape: [4], classes: ['a', 'b'] });
const [loss, optimizer, seed] = [weir.crossEntropy(), weir.sgd({ rate: 1 }), 0];
const whole = { loss, optimizer, seed };

/** Options as a pipeline hands them over: its modules run without type checks. */
// biome-ignore lint/suspicious/noExplicitAny: the point is what TypeScript would refuse
const untyped = (options: object): any => options;

const refusals: readonly [where: string, key: string, meant: string, build: () => unknown][] = [
  ['train', 'penalty', 'regularizer', () => weir.train(model, untyped({ ...whole, penalty: {} }))],
  ['train', 'optimiser', 'optimizer', () => weir.train(model, untyped({ loss, seed, optimiser: optimizer }))],
  ['mlp', 'initialisation', 'initialization', () => weir.mlp([4, 3, 2], untyped({ initialisation: weir.normal() }))],
  ['mlp', 'width', 'none', () => weir.mlp([4, 3, 2], untyped({ width: 3 }))],
  ['sgd', 'momentun', 'momentum', () => weir.sgd(untyped({ rate: 1, momentun: 0.9 }))],
  ['batch', 'Partial', 'partial', () => weir.batch(4, untyped({ Partial: 'drop' }))],
  ['accuracy', 'normalise', 'normalize', () => weir.accuracy(model, samples, untyped({ normalise: {} }))],
  ['colorJitter', 'colour', 'none', () => weir.colorJitter(untyped({ colour: 1 }))],
  ['unitScale', 'by', '', () => (weir.unitScale as (options: object) => unknown)({ by: 255 })],
  ['every', 'epoch', 'epochs', () => weir.every(untyped({ epoch: 3 }))],
  ['from', 'epochs', 'epoch', () => weir.from(untyped({ epochs: 3 }))],
  [
    "from of regularizer 'l2-sp'",
    'epochs',
    'epoch',
    () => weir.regularizer('l2-sp', model, { gamma: 1, from: untyped({ epochs: 3 }) }),
  ],
  ['regularizer', 'betta', 'beta', () => weir.regularizer('l2-sp', model, untyped({ gamma: 1, betta: 3 }))],
  [
    'tangentAttack',
    'iteratons',
    'iterations',
    () => weir.tangentAttack(model, samples, untyped({ samples: 1, seed, iteratons: 3 })),
  ],
  ['quantity', 'lable', 'label', () => weir.quantity(untyped({ lable: 'loss' }))],
];

test.each(refusals)('%s refuses the option %s', (where, key, meant, build) => {
  const near = meant === 'none' ? 'the options are ' : `did you mean '${meant}'? The options are `;
  const remedy = meant === '' ? /^leave it out/ : new RegExp(`^${near.replace('?', '\\?')}`);
  expect(build).toThrow(
    expect.objectContaining({
      name: 'WeirError',
      message: `${where} has no option '${key}'`,
      remedy: expect.stringMatching(remedy),
    }),
  );
});

test('options that are missing are named', () => {
  expect(() => weir.train(model, untyped({ seed }))).toThrow('train was not given loss, optimizer');
  expect(() => weir.sgd(untyped({ momentum: 0.9 }))).toThrow('sgd was not given rate');
  expect(() => weir.at(untyped({}))).toThrow('at was given neither an epoch nor an update');
});

test('options that are no object are refused', () => {
  expect(() => weir.train(model, untyped(undefined as never))).toThrow('train was not given loss, optimizer, seed');
  expect(() => weir.batch(4, 'drop' as never)).toThrow('batch was given "drop" as its options');
});

test('a whole config may be handed over, with keys of its own and near an option that is given', () => {
  const config = { rate: 0.1, epochs: 3, seeds: 5, data: 'embedded', gamma: 0.1, images: 10 };
  expect(() => weir.sgd(untyped(config))).not.toThrow();
  expect(() => weir.batch(4, untyped(config))).not.toThrow();
  expect(() => weir.tangentAttack(model, samples, untyped({ ...config, samples: 1, seed }))).not.toThrow();
});
