import type { Case } from '../case.js';
import { lock } from './lock.js';
import { results } from './results.js';

/** Every case, by area. */
export const cases: readonly Case[] = [...results, ...lock];
