import { expect, test } from 'vitest';
import { describe } from '../../src/tensorflow/doctor.js';
import { cpuFeatures } from '../../src/tensorflow/install/release.js';

test('the doctor names the runtime, the machine and every check, and what fails comes with a remedy', async () => {
  const description = await describe();
  const { kind, device, threads } = description.runtime!;
  expect(['native', 'wasm']).toContain(kind);
  expect(device).toMatch(/^[CG]PU$/);
  expect(threads).toBeGreaterThan(0);
  expect(description.versions.node).toBe(process.versions.node);
  expect(description.versions.tensorflowJs).toBe('4.22.0');
  const names = description.checks.map(({ name }) => name);
  for (const name of ['Node.js', 'pip', 'C++ compiler', 'cache folder', 'library', 'runtime', 'Svd', 'bfloat16']) {
    expect(names).toContain(name);
  }
  if (kind === 'native') expect(description.checks.filter(({ ok }) => !ok)).toEqual([]);
  for (const { ok, found, remedy } of description.checks) {
    expect(found).not.toBe('');
    if (!ok) expect(remedy).toBeDefined();
  }
  expect(JSON.parse(JSON.stringify(description))).toEqual(description);
});

test('features of the processor are read from either kind of /proc/cpuinfo', () => {
  expect(cpuFeatures('model name : x\nflags\t\t: fpu avx2 amx_bf16\n')).toEqual(['fpu', 'avx2', 'amx_bf16']);
  expect(cpuFeatures('Features\t: fp asimd bf16\n')).toEqual(['fp', 'asimd', 'bf16']);
  expect(cpuFeatures('')).toEqual([]);
});
