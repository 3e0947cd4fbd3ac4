import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decode, isPlainJpeg, measure, plainDecoder } from '../../../src/data/images/decoder.js';

interface Row {
  readonly file: string;
  readonly height: number;
  readonly width: number;
  /** Pillow's RGB. */
  readonly values: string;
}

// Made by vectors/make.py.
const { pillow, files } = JSON.parse(readFileSync(join(import.meta.dirname, 'vectors/pillow.json'), 'utf8')) as {
  readonly pillow: string;
  readonly files: Readonly<Record<string, Row>>;
};

/** AVIF holds luma and chroma, and the two libraries round on the way back. */
const TOLERANCE = /^avif/;

test.each(Object.entries(files))(`%s: the pixels that Pillow ${pillow} shows as RGB`, async (name, row) => {
  const { height, width } = row;
  const bytes = Buffer.from(row.file, 'base64');
  const wanted = Buffer.from(row.values, 'base64');
  expect(await measure(bytes)).toMatchObject({ height, width });
  const found = await decode(bytes);
  expect([found.height, found.width]).toEqual([height, width]);
  if (TOLERANCE.test(name)) {
    for (const [i, value] of wanted.entries()) expect(Math.abs(found.values[i]! - value)).toBeLessThanOrEqual(1);
    return;
  }
  expect([...found.values]).toEqual([...wanted]);
  if (isPlainJpeg(bytes)) expect([...(await plainDecoder())(bytes)!.values]).toEqual([...wanted]);
});
