import { join } from 'node:path';
import { test } from 'vitest';
import * as weir from 'weir-engine';
import { expectReplay } from 'weir-engine/testing';
import { best } from '../pipeline.js';

const recording = (name: string): string => join(import.meta.dirname, `${name}.weirrec`);

// Made by `npx weir record pipeline.ts accuracy test/accuracy.weirrec`; WEIR_RECORD=1 makes the other from it.
test('the best accuracy of a recorded training is what it was', () =>
  expectReplay(weir.stage(best()), { input: recording('accuracy'), output: recording('best') }));
