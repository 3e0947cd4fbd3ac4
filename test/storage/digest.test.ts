import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashAll, hashWeights } from '../../src/storage/digest.js';

test('weights are hashed by sorted name, as name and little-endian float32', () => {
  const bytes = Buffer.concat([
    Buffer.from('a/bias'),
    Buffer.from([0, 0, 0x80, 0x3f]), // 1
    Buffer.from('a/kernel'),
    Buffer.from([0, 0, 0, 0xc0, 0, 0, 0, 0x80]), // -2, -0
  ]);
  const wanted = createHash('sha256').update(bytes).digest('hex');
  expect(hashWeights({ 'a/kernel': Float32Array.of(-2, -0), 'a/bias': Float32Array.of(1) })).toBe(wanted);
  expect(() => hashWeights({ a: Float64Array.of(1) as unknown as Float32Array })).toThrow(
    "cannot hash weight 'a': expected float32 values, got float64",
  );
});

test('all state: the order of keys makes no difference, anything else does', () => {
  const same = [
    hashAll({ a: 1, b: [Float32Array.of(1)] }, [{ loss: 1, wall: { seconds: 1 } }]),
    hashAll({ b: [Float32Array.of(1)], a: 1 }, [{ wall: { seconds: 2 }, loss: 1 }]),
  ];
  expect(new Set(same).size).toBe(1);
  const different = [
    {},
    { a: 0 },
    { a: -0 },
    { a: '0' },
    { a: null },
    { a: undefined },
    { a: [0] },
    { a: [] },
    { a: [[]] },
    { a: [[], []] },
    { a: Float32Array.of(0) },
    { a: Float32Array.of(-0) },
    { a: Int32Array.of(0) },
    { a: Number.NaN },
    { a: 'NaN' },
    { a: { b: 0 } },
    { a: {}, b: 0 },
    ['ab', 'c'],
    ['a', 'bc'],
  ];
  expect(new Set(different.map((data) => hashAll(data))).size).toBe(different.length);
  expect(new Set([hashAll({}), hashAll({}, [{}]), hashAll({}, [{ loss: 1 }]), hashAll({}, [{ loss: 2 }])]).size).toBe(
    4,
  );
});
