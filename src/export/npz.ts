import { Zip, ZipDeflate } from 'fflate';
import { sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { AttackedNetwork, AttackedSample } from '../measure/attack/attacked.js';
import { atomically } from '../storage/disk.js';
import { remedy } from './table.js';

/** An array for NumPy: numbers in C's order. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array | Int32Array;
}

/** The head of a `.npy` file, version 1.0 (NumPy, "A simple file format for NumPy arrays", NEP 1); the values follow. */
export function npyHead(type: '<i4' | '<f4' | '<f8', shape: readonly number[]): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const about = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + about.length + 1) / 64) * 64; // the values begin at a multiple of 64 bytes
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(length - 10, 8);
  return Buffer.concat([head, Buffer.from(`${about.padEnd(length - 11)}\n`, 'latin1')]);
}

/** The bytes of a whole `.npy` file. */
export function npyBytes({ shape, values }: NpyArray): Uint8Array {
  const type = values instanceof Int32Array ? '<i4' : values instanceof Float32Array ? '<f4' : '<f8';
  return Buffer.concat([npyHead(type, shape), bytesOf(values)]);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: NpyArray['values']): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Bytes of a zip, and of a file in it, at most: those that 32 bits can tell. */
const mostBytes = 2 ** 32 - 1;

/** A zip that is written as it is made. The same contents give the same bytes. */
class ZipWriter {
  private readonly zip: Zip;
  private written = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.zip = new Zip((error, chunk) => {
      if (error) throw error;
      this.written += chunk.length;
      if (this.written > mostBytes) throw tooLarge();
      write(chunk);
    });
  }

  /** @param bytes of the file in all, its parts @throws {WeirError} where they are more than a zip can tell */
  file(name: string, bytes: number, parts: Iterable<Uint8Array>): void {
    if (bytes > mostBytes) throw tooLarge();
    const entry = new ZipDeflate(name, { level: 6 });
    entry.mtime = new Date(1980, 0, 1);
    this.zip.add(entry);
    for (const part of parts) entry.push(part);
    entry.push(new Uint8Array(0), true);
  }

  end(): void {
    this.zip.end();
  }
}

const tooLarge = (): WeirError =>
  new WeirError(
    'the adversarial samples have more than 4 GiB, which a .npz cannot hold',
    'export one network, by --network',
  );

/** What an export of adversarial samples wrote. */
export interface AdversarialExport {
  readonly networks: number;
  /** Attacked samples. */
  readonly samples: number;
  /** Those of them with both images. */
  readonly pictured: number;
}

/** An attacked sample as a run keeps it with its images; the fields are those of its record. */
export type KeptSample = Readonly<Record<string, unknown>>;

/**
 * Writes the attacked samples of networks as a `.npz` file for `numpy.load`. Of each network NETWORK:
 *
 * - `NETWORK/index`, `label`, `predicted`, `adversarial_label`, `distance`, `queries`: a value for each attacked sample; −1 and NaN for
 *   a sample without an adversarial one.
 * - `NETWORK/pictured`: which of these rows have images. `NETWORK/original` and `NETWORK/adversarial` are these images, [pictured, …sample],
 *   float32 in units of the network's input.
 *
 * Where a network has several attacks, each array is `NETWORK/STREAM/…` in the place of `NETWORK/…`, of every network of the file.
 * Bound: the table of samples, and one image.
 *
 * @param imagesOf gives the samples that the run keeps with their images, of one network and stream, anew each time; those of the log serve
 * where it keeps none
 * @throws {WeirError} where no network was attacked, where the file cannot be written, or where it would have more than 4 GiB
 */
export function exportAdversarial(
  file: string,
  networks: readonly AttackedNetwork[],
  imagesOf: (network: string, stream: string) => Iterable<KeptSample> = () => [],
): AdversarialExport {
  const several = networks.some(({ attacks }) => attacks.size > 1);
  const attacked = networks.flatMap(({ name, sampleShape, attacks }) =>
    [...attacks].map(([stream, samples]) => {
      const path = several ? `${name}/${stream}` : name;
      return { name, path, sampleShape, samples, kept: () => imagesOf(name, stream) };
    }),
  );
  if (attacked.length === 0) {
    throw new WeirError(
      'no network of the run was attacked',
      'export it when the attack has begun, or run `weir attack`',
    );
  }
  let pictured = 0;
  atomically(
    file,
    (out) => {
      const zip = new ZipWriter((bytes) => out.write(bytes));
      for (const { path, samples, sampleShape, kept } of attacked) {
        for (const [column, array] of Object.entries(columnsOf(samples))) {
          const bytes = npyBytes(array);
          zip.file(`${path}/${column}.npy`, bytes.length, [bytes]);
        }
        const images = new Images(samples, kept);
        const rows = npyBytes({ shape: [images.rows.length], values: Int32Array.from(images.rows) });
        zip.file(`${path}/pictured.npy`, rows.length, [rows]);
        const shape = sizeOf(sampleShape) === images.length ? sampleShape : [images.length];
        for (const field of ['original', 'adversarial'] as const) {
          const head = npyHead('<f4', [images.rows.length, ...shape]);
          const bytes = head.length + 4 * images.rows.length * images.length;
          zip.file(`${path}/${field}.npy`, bytes, images.parts(head, field));
        }
        pictured += images.rows.length;
      }
      zip.end();
    },
    { remedy },
  );
  const samples = attacked.reduce((sum, one) => sum + one.samples.length, 0);
  return { networks: new Set(attacked.map(({ name }) => name)).size, samples, pictured };
}

/** The images of a network's attacked samples: those that the run keeps, or else those in its log. */
class Images {
  /** The samples that have both images, by their rows, in the order of the images. */
  readonly rows: readonly number[];
  /** Values of an image. */
  readonly length: number;
  private readonly places: ReadonlySet<number>;
  private readonly source: () => Iterable<KeptSample | AttackedSample>;

  constructor(samples: readonly AttackedSample[], kept: () => Iterable<KeptSample>) {
    const rowOf = new Map(samples.map((sample, row) => [identityOf(sample), row]));
    let found = picturedIn(kept(), rowOf);
    this.source = found.length > 0 ? kept : () => samples;
    if (found.length === 0) found = picturedIn(samples, rowOf);
    this.rows = found.map(({ row }) => row);
    this.places = new Set(found.map(({ place }) => place));
    this.length = found[0]?.length ?? 0;
  }

  /** A file of the images, a part each. */
  *parts(head: Uint8Array, field: 'original' | 'adversarial'): Generator<Uint8Array> {
    yield head;
    let place = 0;
    for (const one of this.source()) if (this.places.has(place++)) yield bytesOf(one[field] as Float32Array);
  }
}

/** Where the samples with both images are among these, the newest of each, by the row of the sample. */
function picturedIn(
  all: Iterable<KeptSample | AttackedSample>,
  rowOf: ReadonlyMap<string, number>,
): { readonly row: number; readonly place: number; readonly length: number }[] {
  const found = new Map<number, { readonly row: number; readonly place: number; readonly length: number }>();
  let place = 0;
  for (const one of all) {
    const row = rowOf.get(identityOf(one));
    if (row !== undefined && isPictured(one)) found.set(row, { row, place, length: one.original.length });
    place++;
  }
  return [...found.values()].sort((a, b) => a.place - b.place);
}

/** What tells an attacked sample from the same one at another update or by another attack. A distance that was not found is NaN in a record. */
const identityOf = ({ index, label, distance, queries }: KeptSample | AttackedSample): string =>
  [index, label, Number.isFinite(distance) ? distance : null, queries].join(' ');

const isPictured = (
  one: KeptSample | AttackedSample,
): one is { readonly original: Float32Array; readonly adversarial: Float32Array } =>
  one.original instanceof Float32Array &&
  one.adversarial instanceof Float32Array &&
  one.original.length > 0 &&
  one.adversarial.length === one.original.length;

function columnsOf(samples: readonly AttackedSample[]): Record<string, NpyArray> {
  const whole = (of: (sample: AttackedSample) => number | null): NpyArray => ({
    shape: [samples.length],
    values: Int32Array.from(samples, (sample) => of(sample) ?? -1),
  });
  const real = (of: (sample: AttackedSample) => number | null): NpyArray => ({
    shape: [samples.length],
    values: Float64Array.from(samples, (sample) => of(sample) ?? Number.NaN),
  });
  return {
    index: whole(({ index }) => index),
    label: whole(({ label }) => label),
    predicted: whole(({ predicted }) => predicted),
    adversarial_label: whole(({ adversarialLabel }) => adversarialLabel),
    distance: real(({ distance }) => distance),
    queries: whole(({ queries }) => queries),
  };
}
