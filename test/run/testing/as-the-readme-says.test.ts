import { test } from 'vitest';
import * as weir from 'weir';
import { expectReplay } from 'weir/testing';

test('batches of 12 are what they were', () =>
  expectReplay(weir.batch(12), {
    input: 'fixtures/mnist-samples.weirrec',
    output: 'fixtures/mnist-batches-of-12.weirrec',
  }));
