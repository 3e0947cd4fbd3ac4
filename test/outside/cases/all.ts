import type { Case } from '../case.js';
import { numbers } from './numbers.js';

/** Every case, by area. */
export const cases: readonly Case[] = [...numbers];
