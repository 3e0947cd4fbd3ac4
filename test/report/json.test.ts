import { expect, test } from 'vitest';
import { reportJson } from '../../src/report/json.js';
import { network, pictured, report } from './example.js';

const attack = { iterations: 40, samples: [pictured(0, 1.5), pictured(1, 2.5)] };

test('holds every number of a sample and no pixel', () => {
  const { networks } = JSON.parse(reportJson(report([network('none', 0, [], { attack })])));
  expect(networks[0].attack.samples[0]).toEqual({
    index: 0,
    label: 0,
    predicted: 0,
    adversarialLabel: 1,
    outcome: 'adversarial',
    distance: 1.5,
    lower: 1.5,
    method: null,
    upper: 1.5,
    queries: 100,
    start: null,
    local: null,
    theta: null,
    featureNorm: null,
  });
  expect(networks[0].sigma.hidden1).toEqual({ epoch: [1, 10], value: [1, 3] });
  expect(networks[0].summary).toMatchObject({ attacked: 2, meanDistance: 2, sigma: { hidden1: 3, readout: 2 } });
});

test('the order of keys in the config changes no byte; what is not a number is null', () => {
  const one = report([network('none', 0, [1])], { config: { a: 1, b: { d: Number.NaN, c: 2 } } });
  const other = report([network('none', 0, [1])], { config: { b: { c: 2, d: Number.NaN }, a: 1 } });
  expect(reportJson(one)).toBe(reportJson(other));
  expect(JSON.parse(reportJson(one)).config).toEqual({ a: 1, b: { c: 2, d: 'NaN' } });
});
