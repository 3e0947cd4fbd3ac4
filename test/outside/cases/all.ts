import type { Case } from '../case.js';
import { labels } from './labels.js';

/** Every case, by area. */
export const cases: readonly Case[] = [...labels];
