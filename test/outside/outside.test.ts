import { expect, test } from 'vitest';
import { played } from './case.js';
import { cases } from './cases/all.js';

test.each(cases.filter(({ quick }) => quick).map((one) => [one.name, one] as const))('%s', async (_, one) => {
  expect(await played(one)).toEqual({ how: 'well' });
});
