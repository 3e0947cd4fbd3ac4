import type { Case } from '../case.js';
import { attackCases } from './attack.js';
import { engineCases } from './engine.js';
import { exportCases } from './exports.js';
import { identityCases } from './identity.js';
import { labels } from './labels.js';
import { progressCases } from './progress.js';
import { settingCases } from './settings.js';
import { weights } from './weights.js';

/** Every case, by area. */
export const cases: readonly Case[] = [
  ...attackCases,
  ...engineCases,
  ...identityCases,
  ...labels,
  ...weights,
  ...settingCases,
  ...progressCases,
  ...exportCases,
];
