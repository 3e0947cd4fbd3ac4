import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, weir } from '../cli/weir.js';
import { shared } from '../golden.js';

const vectors = join(shared, 'golden');
const wasm = process.env.WEIR_RUNTIME === 'wasm';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-vectors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const file = (kind: string, ...cases: unknown[]) => ({ format: 'weir-vectors/1', kind, source: 'made up', cases });

/** x = 0, x_b at 2 along the first axis, the normal beside it: the tangent point has a closed form. */
const touching = (name: string, tangentPoint: number[]) => ({
  name,
  input: {
    x: { shape: [2], data: [0, 0] },
    boundary: { shape: [2], data: [2, 0] },
    normal: { shape: [2], data: [0, 1] },
    radius: 1,
  },
  expected: { tangentPoint: { shape: [2], data: tangentPoint } },
  tolerance: { relative: 0, absolute: 1e-5 },
});
const right = touching('right', [1.5, Math.sqrt(3) / 2]);

test.skipIf(!existsSync(vectors) || wasm)('reference vectors: this machine is within every tolerance', async () => {
  const { status, out, err } = await call('doctor', '--vectors', vectors, '--json');
  const { files } = JSON.parse(out);
  const bad = files.filter(({ outcome }: { outcome: string }) => outcome !== 'within');
  expect(bad, err).toEqual([]);
  expect(status).toBe(0);
});

test('a wrong value is out, whatever else is right: by name, with its deviation, and status 1', async () => {
  const path = write('tangent.json', file('tangent-point', right, touching('wrong', [1.5, 0.8])));
  const { status, out } = await call('doctor', '--vectors', path);
  expect(out).toMatch(/✓ right {2}tangentPoint/);
  expect(out).toMatch(/✗ wrong {2}tangentPoint {2}6\.6e-2 {5}1\.0e-5/);
  expect(out).toContain('1 of 2 cases not within tolerance');
  expect(status).toBe(1);
});

test('what is malformed is named with what would be right, and spoils nothing else', async () => {
  const { normal: _, ...input } = right.input;
  const odd = { ...right.input, x: { shape: [3], data: [0, 0] } };
  const paths = [
    write('text.json', 'no JSON'),
    write('other.json', { format: 'weir-vectors/9' }),
    write('kind.json', file('tangent-plane', right)),
    write('empty.json', file('tangent-point')),
    write(
      'cases.json',
      file(
        'tangent-point',
        right,
        { ...right, name: 'without', input },
        { ...right, name: 'odd', input: odd },
        { ...right, name: 'unknown', expected: { ...right.expected, angle: 1 } },
        { ...right, name: 'nothing', expected: {} },
        { name: 'bare' },
        7,
      ),
    ),
  ];
  const { status, out } = await call('doctor', '--vectors', ...paths, '--json');
  const { files } = JSON.parse(out);
  const said = files.map(({ outcome, problem }: { outcome: string; problem?: { message: string } }) => [
    outcome,
    problem?.message,
  ]);
  expect(said).toEqual([
    ['malformed', expect.stringContaining('it cannot be read as JSON')],
    ['malformed', "its format is 'weir-vectors/9', not 'weir-vectors/1'"],
    ['malformed', "there is no kind 'tangent-plane'"],
    ['malformed', "it has no 'cases'"],
    ['out', undefined],
  ]);
  const cases = files
    .at(-1)
    .cases.map(({ name, problem }: { name: string; problem?: { message: string } }) => [name, problem?.message]);
  expect(cases).toEqual([
    ['right', undefined],
    ['without', "the input has no 'normal'"],
    ['odd', "'x' of the input has another form"],
    ['unknown', "it expects 'angle', which kind 'tangent-point' does not have"],
    ['nothing', 'the case expects nothing'],
    ['bare', "the case has no 'input'"],
    ['#7', "the case has no 'input'"],
  ]);
  expect(status).toBe(1);
});

test('a path that is not there is an error, not an empty table', async () => {
  const { status, err } = await weir('doctor', '--vectors', join(folder, 'nowhere'));
  expect(err).toContain('there is no');
  expect(status).toBe(1);
});
