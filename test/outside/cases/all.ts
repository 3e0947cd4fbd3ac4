import type { Case } from '../case.js';
import { exportCases } from './exports.js';
import { progressCases } from './progress.js';
import { settingCases } from './settings.js';

/** Every case, by area. */
export const cases: readonly Case[] = [...settingCases, ...progressCases, ...exportCases];
