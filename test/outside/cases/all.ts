import type { Case } from '../case.js';
import { attackCases } from './attack.js';
import { engineCases } from './engine.js';
import { exportCases } from './exports.js';
import { identityCases } from './identity.js';
import { images } from './images.js';
import { labels } from './labels.js';
import { lock } from './lock.js';
import { messages } from './messages.js';
import { numbers } from './numbers.js';
import { overlapCases } from './overlap.js';
import { progressCases } from './progress.js';
import { report } from './report.js';
import { results } from './results.js';
import { settingCases } from './settings.js';
import { strangers } from './strangers.js';
import { weights } from './weights.js';

/** Every case, by area. */
export const cases: readonly Case[] = [
  ...attackCases,
  ...engineCases,
  ...identityCases,
  ...images,
  ...labels,
  ...numbers,
  ...overlapCases,
  ...report,
  ...messages,
  ...strangers,
  ...lock,
  ...results,
  ...weights,
  ...settingCases,
  ...progressCases,
  ...exportCases,
];
