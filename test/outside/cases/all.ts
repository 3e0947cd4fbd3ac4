import type { Case } from '../case.js';
import { results } from './results.js';

/** Every case, by area. */
export const cases: readonly Case[] = [...results];
