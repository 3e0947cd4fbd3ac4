import { expect, test } from 'vitest';
import { resumedRankOptions, sameBatchNorm } from '../../src/cli/session.js';

test('a run goes on with the batch normalization that it was begun with, and says so where another is given', () => {
  expect(resumedRankOptions().find(({ long }) => long === '--batch-norm')?.defaultValue).toBeUndefined();
  expect(sameBatchNorm('synchronized', undefined)).toBe('synchronized');
  expect(sameBatchNorm(undefined, 'synchronized')).toBe('synchronized'); // it was begun by one process
  expect(sameBatchNorm(undefined, undefined)).toBe('local');
  expect(() => sameBatchNorm('synchronized', 'local')).toThrow(
    'this run was begun with --batch-norm synchronized, and is to go on with --batch-norm local',
  );
});
