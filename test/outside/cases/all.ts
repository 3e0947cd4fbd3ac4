import type { Case } from '../case.js';
import { engineCases } from './engine.js';

/** Every case, by area. */
export const cases: readonly Case[] = [...engineCases];
