import type { Case } from '../case.js';
import { identityCases } from './identity.js';

/** Every case, by area. */
export const cases: readonly Case[] = [...identityCases];
