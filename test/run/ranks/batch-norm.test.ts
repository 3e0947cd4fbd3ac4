import { expect, test } from 'vitest';
import { resumedRankOptions, sameBatchNorm } from '../../../src/run/cli/ranks.js';

test('a run goes on with the batch normalisation that it was begun with, and says so where another is given', () => {
  expect(resumedRankOptions().find(({ long }) => long === '--batch-norm')?.defaultValue).toBeUndefined();
  expect(sameBatchNorm('synchronised', undefined)).toBe('synchronised');
  expect(sameBatchNorm(undefined, 'synchronised')).toBe('synchronised'); // it was begun by one process
  expect(sameBatchNorm(undefined, undefined)).toBe('local');
  expect(() => sameBatchNorm('synchronised', 'local')).toThrow(
    'this run was begun with --batch-norm synchronised, and is to go on with --batch-norm local',
  );
});
