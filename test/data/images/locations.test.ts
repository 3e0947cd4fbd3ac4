import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, nameFrom, pathFor, shownName } from '../../../src/data/images/reader.js';

test('any bytes become text and are themselves again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      expect([...bytesOf(nameFrom(bytes))]).toEqual([...bytes]);
    }),
  );
});

test('UTF-8 stays as it is, a byte that is none is kept and shown', () => {
  expect(nameFrom(Buffer.from('é🙂.jpg'))).toBe('é🙂.jpg');
  expect(pathFor('é🙂.jpg')).toBe('é🙂.jpg');
  const latin1 = nameFrom(Buffer.from('ça\xe9.jpg', 'latin1'));
  expect(shownName(latin1)).toBe('\\xe7a\\xe9.jpg');
  expect(pathFor(latin1)).toEqual(Buffer.from('ça\xe9.jpg', 'latin1'));
});
