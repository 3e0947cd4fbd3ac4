import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sizeOf } from '../../../src/flow/data.js';
import { fromFile, fromTorch, torchNames, toTorch } from '../../../src/learn/weights/pretrained.js';
import {
  readSafetensors,
  readWeights,
  type StoredTensor,
  writeSafetensors,
} from '../../../src/learn/weights/safetensors.js';
import { version } from '../../../src/storage/file-format.js';
import { shared } from '../../golden.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-safetensors-'));
  file = join(folder, 'weights.safetensors');
});
afterAll(() => rmSync(folder, { recursive: true }));

const tensor = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) => {
  const length = sizeOf(shape);
  return fc.record({
    shape: fc.constant(shape as readonly number[]),
    values: fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true }),
  });
});

test('what is written comes back to the bit, in PyTorch’s layout and out of it', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string().filter((name) => name !== '__metadata__'),
        tensor,
      ),
      (tensors) => {
        const all = new Map<string, StoredTensor>(Object.entries(tensors));
        writeSafetensors(file, new Map([...all].map(([name, one]) => [name, toTorch(one)])), { about: 'a test' });
        const back = readSafetensors(file);
        expect([...back.keys()]).toEqual([...all.keys()]);
        for (const [name, one] of all) expect(fromTorch(back.get(name)!)).toEqual(one);
      },
    ),
    { numRuns: 200 },
  );
  expect(readdirSync(folder)).toEqual(['weights.safetensors']);
});

test('any name is a name; PyTorch’s counters of batches are left out', () => {
  const one = { shape: [1], values: Float32Array.of(2) };
  writeSafetensors(file, new Map([['__proto__', one], ['bn1.num_batches_tracked', one], ['a', one]])); // biome-ignore format: one idea
  expect([...readSafetensors(file)]).toEqual([['__proto__', one], ['a', one]]); // biome-ignore format: one idea
});

test('layouts: [in, out] is [out, in] there, HWIO is OIHW', () => {
  expect(toTorch({ shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) })).toEqual({
    shape: [3, 2],
    values: Float32Array.of(1, 4, 2, 5, 3, 6),
  });
  const kernel = { shape: [1, 2, 2, 2], values: Float32Array.from({ length: 8 }, (_, i) => i) }; // w, i, o
  expect(toTorch(kernel)).toEqual({ shape: [2, 2, 1, 2], values: Float32Array.of(0, 4, 2, 6, 1, 5, 3, 7) });
});

test.each([
  ['stem/kernel', 'conv1.weight'],
  ['stem/norm/variance', 'bn1.running_var'],
  ['stage1/block2/conv1/kernel', 'layer1.1.conv1.weight'],
  ['stage4/block1/conv3/norm/offset', 'layer4.0.bn3.bias'],
  ['stage2/block1/shortcut/kernel', 'layer2.0.downsample.0.weight'],
  ['stage2/block1/shortcut/norm/mean', 'layer2.0.downsample.1.running_mean'],
  ['readout/bias', 'fc.bias'],
  ['hidden1/kernel', 'hidden1.weight'],
])('%s is %s', (name, there) => {
  expect(torchNames(name)[0]).toBe(there);
});

const made = (header: string, data = 8, length = BigInt(Buffer.byteLength(header))): Buffer => {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length);
  return Buffer.concat([size, Buffer.from(header), Buffer.alloc(data)]);
};
const one = (more: object): string =>
  JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...more } });

test.each([
  ['a file of four bytes', Buffer.alloc(4), 'it has 4 bytes, and 8 say how long its header is'],
  ['an absurd length', made('{}', 8, 2n ** 60n), 'its header would be 1152921504606846976 bytes long, of 18 in all'],
  ['no JSON', made('{'), 'its header is not JSON'],
  [
    'no UTF-8',
    Buffer.from(
      made(one({ x: 'u' }))
        .toString('latin1')
        .replace('"u"', '"ü"'),
      'latin1',
    ),
    'its header is not JSON',
  ],
  ['no object', made('[]'), 'its header is not an object'],
  ['a type that is none', made(one({ dtype: 'F33' })), `tensor 'a' is of type "F33"`],
  ['a weight of whole numbers', made(one({ dtype: 'I32' })), "tensor 'a' is I32"],
  ['a negative extent', made(one({ shape: [-2] })), "tensor 'a' has shape [-2]"],
  ['offsets that do not fit the shape', made(one({ shape: [3] })), "tensor 'a' of shape [3] has 8 bytes, not 12"],
  ['offsets behind the end', made(one({}), 4), 'its tensors end at byte 8 of 4 of data'],
  [
    'offsets that overlap',
    made(
      JSON.stringify({
        a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
        b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
      }),
    ),
    "tensor 'b' begins at byte 4 of the data, where 8 is expected",
  ],
  ['bytes of no tensor', made(one({}), 12), 'its tensors end at byte 8 of 12 of data'],
  [
    'a variance below 0',
    Buffer.concat([
      made(JSON.stringify({ 'bn1.running_var': { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }), 4),
      Buffer.of(0, 0, 128, 191),
    ]),
    "tensor 'bn1.running_var' has the variance -1 at place 1",
  ],
  ['not a number', Buffer.concat([made(one({}), 4), Buffer.of(0, 0, 192, 127)]), "tensor 'a' has NaN at place 1"],
])('%s is refused by name', (_, bytes, message) => {
  writeFileSync(file, bytes);
  expect(() => readSafetensors(file)).toThrow(`${file} is no safetensors file: ${message}`);
});

test('cut short anywhere or with any bit turned, it is refused: what is written carries a digest', () => {
  const weight = { shape: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) };
  writeSafetensors(file, new Map([['weight', weight]]), { padding: 'circular' });
  expect(readWeights(file)).toEqual({
    tensors: new Map([['weight', weight]]),
    metadata: { padding: 'circular', weir: version },
    converted: {},
  });
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(file, whole.subarray(0, length));
    expect(() => readSafetensors(file)).toThrow(file);
  }
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const altered = Buffer.from(whole);
    altered[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(file, altered);
    expect(() => readSafetensors(file), `bit ${bit}`).toThrow(file);
  }
});

test('half, bfloat and double precision are read as float32, to the nearest number', () => {
  const floats = [1, -2.5, 65504, 2 ** -24, -0, 0.333251953125]; // all of them binary16
  const half = Uint16Array.of(0x3c00, 0xc100, 0x7bff, 0x0001, 0x8000, 0x3555);
  const upper = new Uint16Array(Float32Array.of(1, -2.5, 3e38, -1e-40).buffer).filter((_, i) => i % 2 === 1);
  const double = Float64Array.of(0.1, 1e-300);
  const tensors = {
    a: { dtype: 'F16', shape: [6], data_offsets: [0, 12] },
    b: { dtype: 'BF16', shape: [4], data_offsets: [12, 20] },
    c: { dtype: 'F64', shape: [2], data_offsets: [20, 36] },
    d: { dtype: 'I64', shape: [], data_offsets: [36, 44] },
  };
  const counter = JSON.stringify(tensors).replace('"d"', '"d.num_batches_tracked"');
  const bytes = [half, upper, double].map((array) => Buffer.from(array.buffer));
  writeFileSync(file, Buffer.concat([made(counter, 0), ...bytes, Buffer.alloc(8)]));
  const { tensors: read, converted } = readWeights(file);
  expect(converted).toEqual({ F16: 1, BF16: 1, F64: 1 });
  expect([...read.get('a')!.values]).toEqual(floats);
  expect([...read.get('b')!.values]).toEqual([1, -2.5, 2.9907629905160607e38, -9.183549615799121e-41]);
  expect([...read.get('c')!.values]).toEqual([Math.fround(0.1), 0]);
  writeFileSync(file, Buffer.concat([made(one({ dtype: 'F64', data_offsets: [0, 16] }), 0), Buffer.from(Float64Array.of(1, 1e300).buffer)])); // biome-ignore format: one idea
  expect(() => readSafetensors(file)).toThrow("tensor 'a' has Infinity at place 1, as float32");
});

test.each([
  [
    'a zip of torch.save',
    Buffer.from('PK\x03\x04…net/data.pklFB', 'latin1'),
    'it is what torch.save writes',
    'torch.load(',
  ],
  [
    'an old pickle of it',
    Buffer.from('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19', 'latin1'),
    'it is what torch.save writes',
    'weights_only=True',
  ],
  ['an HDF5 file', Buffer.from('\x89HDF\r\n\x1a\n....', 'latin1'), 'it is an HDF5 file', 'in Python'],
  ['gzip', Buffer.from('\x1f\x8b\x08........', 'latin1'), 'it is gzip', 'gunzip'],
])('%s is called what it is, with the way out', (_, bytes, message, remedy) => {
  writeFileSync(file, bytes);
  expect(() => readSafetensors(file)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(`${file} is no safetensors file: ${message}`),
      remedy: expect.stringContaining(remedy),
    }),
  );
});

test('a file that is not there, and a folder that cannot be written to', () => {
  expect(() => readSafetensors(join(folder, 'none'))).toThrow(`cannot read ${join(folder, 'none')}: ENOENT`);
  expect(() => readSafetensors(folder)).toThrow(
    expect.objectContaining({ remedy: 'name a .safetensors file; weights of a run are fromRun(folder)' }),
  );
  expect(() => writeSafetensors(join(folder, 'no/where'), new Map())).toThrow(
    `cannot write ${join(folder, 'no/where')}`,
  );
});

const cases = join(shared, 'cases/weights');
test.skipIf(!existsSync(cases))('files as PyTorch’s users have them', () => {
  for (const [name, type] of [
    ['f16', 'F16'],
    ['bf16', 'BF16'],
  ] as const) {
    const { tensors, converted } = readWeights(join(cases, `${name}.safetensors`));
    expect([[...tensors.keys()].sort(), converted]).toEqual([['bn1.weight', 'conv1.weight'], { [type]: 2 }]);
  }
  const { tensors, notes } = fromFile(join(cases, 'module-prefix.safetensors')).read();
  expect([...tensors.keys()].sort()).toEqual(['bn1.weight', 'conv1.weight']);
  expect(notes).toEqual([expect.stringContaining("every name begins with 'module.', which is left out")]);
  expect(() => readWeights(join(cases, 'tiny.pth'))).toThrow('it is what torch.save writes');
});
