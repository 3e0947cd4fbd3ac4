import type { Case } from '../case.js';

/** Every case, by area. */
export const cases: readonly Case[] = [];
