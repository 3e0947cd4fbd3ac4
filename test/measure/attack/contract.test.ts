import { describe, test } from 'vitest';
import type { Stage } from '../../../src/flow/stage.js';
import type { Model } from '../../../src/learn/model/model.js';
import { apgd } from '../../../src/measure/attack/apgd.js';
import type { AttackedUpdate, AttackOptions, AttackState } from '../../../src/measure/attack/attack.js';
import { cgba } from '../../../src/measure/attack/cgba.js';
import { ddn } from '../../../src/measure/attack/ddn.js';
import { deepFool } from '../../../src/measure/attack/deepfool.js';
import { fmn } from '../../../src/measure/attack/fmn.js';
import { hopSkipJump } from '../../../src/measure/attack/hop-skip-jump.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { tangentAttack } from '../../../src/measure/attack/tangent-attack.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { attackTests } from '../../../src/run/testing/attack-tests.js';

// biome-ignore lint/suspicious/noExplicitAny: the attacks have nothing in common but being attacks
type Made = Stage<AttackedUpdate, AttackResult, AttackState<any>>;

/** Every attack, and what keeps it short here: a new one is a row. */
const attacks: Record<string, (model: Model, samples: LabeledSamples, options: AttackOptions) => Made> = {
  'tangent attack': (model, samples, options) =>
    tangentAttack(model, samples, { iterations: 2, chunk: 64, ...options }),
  'tangent attack from DDN': (model, samples, options) =>
    tangentAttack(model, samples, { iterations: 2, chunk: 64, start: 'ddn', ...options }),
  cgba: (model, samples, options) => cgba(model, samples, { iterations: 4, chunk: 64, ...options }),
  'hop skip jump': (model, samples, options) => hopSkipJump(model, samples, { iterations: 2, chunk: 64, ...options }),
  deepfool: (model, samples, options) => deepFool(model, samples, options),
  ddn: (model, samples, options) => ddn(model, samples, { iterations: 40, ...options }),
  'ddn with CROWN beside it': (model, samples, options) =>
    ddn(model, samples, { iterations: 40, certificate: 'crown', ...options }),
  apgd: (model, samples, options) => apgd(model, samples, { epsilon: 4, steps: 40, ...options }),
  'apgd by DLR': (model, samples, options) =>
    apgd(model, samples, {
      epsilon: 4,
      steps: 20,
      restarts: 2,
      loss: model.classes > 2 ? 'dlr' : 'cross-entropy',
      ...options,
    }),
  fmn: (model, samples, options) => fmn(model, samples, { iterations: 40, ...options }),
};

describe.each(Object.entries(attacks))('%s', (_, make) => {
  for (const { name, run } of attackTests({ make })) test(name, run);
});
