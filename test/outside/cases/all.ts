import type { Case } from '../case.js';
import { numbers } from './numbers.js';
import { report } from './report.js';

/** Every case, by area. */
export const cases: readonly Case[] = [...numbers, ...report];
