import { expect, test } from 'vitest';
import { chooseKind, releases, thisPlatform } from '../../../src/tensorflow/install/release.js';

const driver = '/proc/driver/nvidia/version';

test.each([
  ['auto', { arch: 'x64', driver }, 'gpu', `NVIDIA driver found (${driver})`],
  ['auto', { arch: 'x64' }, 'cpu', 'no NVIDIA driver found'],
  ['auto', { arch: 'arm64', driver }, 'cpu', 'TensorFlow has no CUDA wheel for arm64'],
  ['cpu', { arch: 'x64', driver }, 'cpu', 'asked for by name'],
  ['gpu', { arch: 'x64' }, 'gpu', 'asked for by name'],
] as const)('%s on %o gets the library for %s', (asked, machine, kind, why) => {
  expect(chooseKind(asked, { os: 'linux', ...machine })).toEqual({ kind, why });
});

test('this machine is described', () => {
  expect(thisPlatform()).toMatchObject({ os: process.platform, arch: process.arch });
});

test('every wheel is pinned to one version and one file', () => {
  for (const byKind of Object.values(releases)) {
    for (const { wheels } of Object.values(byKind)) {
      for (const { requirement, sha256 } of wheels) {
        expect(requirement).toMatch(/^[\w-]+==[\d.]+$/);
        expect(sha256).toMatch(/^[\da-f]{64}$/);
      }
      expect(new Set(wheels.map(({ sha256 }) => sha256)).size).toBe(wheels.length);
    }
  }
});
