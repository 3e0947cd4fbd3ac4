import { lastValueFrom, map, type Observable, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { augment } from '../../src/data/augment/augment-augment.js';
import { normalize } from '../../src/data/augment/ops/op-normalize.js';
import { unitScale } from '../../src/data/augment/ops/unit-scale.js';
import { views } from '../../src/data/augment/views.js';
import { batch } from '../../src/data/batch.js';
import { loader } from '../../src/data/draw.js';
import { alignedTo, type Dataset, labeled, sharedBytes } from '../../src/data/feed-dataset.js';
import { Flow } from '../../src/flow/flow.js';

const made = (classes: string[], labels: number[]): Dataset => ({
  ...{ name: classes.join('-'), size: labels.length, sampleShape: [1], classes },
  values: sharedBytes(labels.length),
  labels: Uint8Array.from(labels),
});
const headersOf = (x$: Observable<unknown>) => {
  const flow = new Flow({ x$ });
  flow.introduce();
  flow.close();
  return flow.nodes[0]!.headers;
};

test('a data set with the labels of another one’s classes, by name', () => {
  const found = alignedTo(made(['a', 'b', 'c'], []), made(['c', 'a'], [0, 1, 1]));
  expect([found.classes, [...found.labels], found.name, found.size]).toEqual([['a', 'b', 'c'], [2, 0, 0], 'c-a', 3]);
  expect(() => alignedTo(made(['a'], []), made(['a', 'b'], [1]))).toThrow("class 'b' of 'a-b' (1 sample)");
});

test('what samples are drawn from says their classes, recipes what they are normalized with', () => {
  const set = made(['a', 'b'], [0, 1]);
  const classes = { of: 'a-b', names: ['a', 'b'] };
  const by = { mean: [0.5], std: [2] };
  const drawn = loader(set, { epochs: 1, seed: 0 });
  expect(headersOf(drawn)).toEqual([{ classes, samples: 2 }]);
  expect(headersOf(drawn.pipe(augment([unitScale(), normalize(by)], { seed: 0 }), batch(2)))).toEqual([
    { classes, samples: 2, normalization: by, batches: { count: 1, size: 2, last: 2 } },
  ]);
  const both = [[normalize(by)], [normalize(by), unitScale()]];
  expect(headersOf(drawn.pipe(views(both, { seed: 0 })))).toEqual([{ classes, samples: 2, normalization: by }]);
  expect(headersOf(drawn.pipe(views([[normalize(by)], [unitScale()]], { seed: 0 })))).toEqual([
    { classes, samples: 2 },
  ]);
});

test('labels that an operator has made stand for what is said of them', async () => {
  const parity$ = loader(made(['a', 'b', 'c'], [0, 1, 2]), { epochs: 1, seed: 0, shuffle: false }).pipe(
    augment([], { seed: 0 }),
    map((samples) => ({ ...samples, labels: samples.labels.map((label) => label % 2) })),
    labeled(['even', 'odd']),
  );
  expect(headersOf(parity$)).toEqual([{ classes: { of: 'labeled', names: ['even', 'odd'] }, samples: 3 }]);
  const [all] = await lastValueFrom(parity$.pipe(toArray()));
  expect([...all!.labels]).toEqual([0, 1, 0]);
  expect(() => labeled(['a', 'a'])).toThrow("two classes of 'labeled' are called 'a'");
});
