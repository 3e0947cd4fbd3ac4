import { beforeAll, expect, test } from 'vitest';
import { WeirError } from '../../../src/flow/errors.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { type SpectralKind, spectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { loadTensorFlow } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const model = mlp([4, 6, 5, 3]);

test.each<[SpectralKind, string[]]>([
  ['none', []],
  ['rep-spectral', ['hidden1', 'hidden2']],
  ['ll-spectral', ['hidden1', 'hidden2', 'readout']],
  ['readout-spectral', ['readout']],
])('%s regularizes %j', (kind, names) => {
  const regularizer = spectralRegularizer(kind, model, { gamma: 1e-3 });
  expect(regularizer.layers.map((layer) => layer.name)).toEqual(names);
  expect(regularizer.active(1)).toBe(names.length > 0);
});

test('it is on strictly after its burn-in, and never where γ = 0', () => {
  const regularizer = spectralRegularizer('rep-spectral', model, { gamma: 1, from: { epoch: 160 } });
  expect([160, 161].map(regularizer.active)).toEqual([false, true]);
  expect(spectralRegularizer('rep-spectral', model, { gamma: 0 }).active(1)).toBe(false);
});

test('an unknown kind and a γ that is no number say what would do', () => {
  const error = (run: () => unknown) => {
    try {
      run();
    } catch (caught) {
      return caught as WeirError;
    }
    return undefined;
  };
  const kind = error(() => spectralRegularizer('l1' as SpectralKind, model, { gamma: 1 }));
  expect(kind).toBeInstanceOf(WeirError);
  expect(kind?.message).toBe("there is no regularizer 'l1'");
  expect(kind?.remedy).toBe('name one of none, rep-spectral, ll-spectral, readout-spectral');
  expect(error(() => spectralRegularizer('none', model, { gamma: Number.NaN }))?.message).toBe(
    "regularizer 'none' was given gamma = NaN",
  );
});
