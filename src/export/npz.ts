import { zipSync } from 'fflate';
import { sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { NetworkReport } from '../measure/networks/record.js';
import { writeAtomically } from '../storage/disk.js';
import { remedy } from './table.js';

/** An array for NumPy: numbers in C's order. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array | Int32Array;
}

/** The bytes of a `.npy` file, version 1.0 (NumPy, "A simple file format for NumPy arrays", NEP 1). */
export function npyBytes({ shape, values }: NpyArray): Uint8Array {
  const type = values instanceof Int32Array ? '<i4' : values instanceof Float32Array ? '<f4' : '<f8';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const about = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + about.length + 1) / 64) * 64; // the values begin at a multiple of 64 bytes
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(length - 10, 8);
  const body = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([head, Buffer.from(`${about.padEnd(length - 11)}\n`, 'latin1'), body]);
}

/** What an export of adversarial samples wrote. */
export interface AdversarialExport {
  readonly networks: number;
  /** Attacked samples. */
  readonly samples: number;
  /** Those of them with both images: the log keeps the arrays of the first few alone. */
  readonly pictured: number;
}

/**
 * Writes the attacked samples of networks as a `.npz` file for `numpy.load`. Of each network NETWORK:
 *
 * - `NETWORK/index`, `label`, `predicted`, `adversarial_label`, `distance`, `queries`: a value for each attacked sample; −1 and NaN for
 *   a sample without an adversarial one.
 * - `NETWORK/pictured`: which of these rows have images. `NETWORK/original` and `NETWORK/adversarial` are these images, [pictured, …sample],
 *   float32 in units of the network's input.
 *
 * @throws {WeirError} where no network was attacked, or the file cannot be written
 */
export function exportAdversarial(file: string, networks: readonly NetworkReport[]): AdversarialExport {
  const attacked = networks.filter(({ attack }) => attack !== null && attack.samples.length > 0);
  if (attacked.length === 0) {
    throw new WeirError(
      'no network of the run was attacked',
      'export it when the attack has begun, or run `weir attack`',
    );
  }
  const arrays = attacked.flatMap((network) =>
    Object.entries(arraysOf(network)).map(([name, array]) => [`${network.name}/${name}.npy`, npyBytes(array)] as const),
  );
  const zip = zipSync(Object.fromEntries(arrays), { level: 6, mtime: new Date(1980, 0, 1) }); // the same samples, the same bytes
  writeAtomically(file, zip, { remedy });
  const samples = attacked.flatMap(({ attack }) => attack!.samples);
  return { networks: attacked.length, samples: samples.length, pictured: samples.filter(isPictured).length };
}

type Sample = NonNullable<NetworkReport['attack']>['samples'][number];

const isPictured = ({ original, adversarial }: Sample): boolean =>
  original !== undefined && adversarial !== undefined && original.length > 0 && adversarial.length === original.length;

function arraysOf({ attack, sampleShape }: NetworkReport): Record<string, NpyArray> {
  const { samples } = attack!;
  const whole = (of: (sample: Sample) => number | null): NpyArray => ({
    shape: [samples.length],
    values: Int32Array.from(samples, (sample) => of(sample) ?? -1),
  });
  const real = (of: (sample: Sample) => number | null): NpyArray => ({
    shape: [samples.length],
    values: Float64Array.from(samples, (sample) => of(sample) ?? Number.NaN),
  });
  const pictured = samples.flatMap((sample, row) => (isPictured(sample) ? [row] : []));
  const images = (of: (sample: Sample) => Float32Array): NpyArray => {
    const all = pictured.map((row) => of(samples[row]!));
    const length = all[0]?.length ?? 0;
    const values = new Float32Array(all.length * length);
    for (const [i, image] of all.entries()) values.set(image, i * length);
    return { shape: [all.length, ...(sizeOf(sampleShape) === length ? sampleShape : [length])], values };
  };
  return {
    index: whole(({ index }) => index),
    label: whole(({ label }) => label),
    predicted: whole(({ predicted }) => predicted),
    adversarial_label: whole(({ adversarialLabel }) => adversarialLabel),
    distance: real(({ distance }) => distance),
    queries: whole(({ queries }) => queries),
    pictured: { shape: [pictured.length], values: Int32Array.from(pictured) },
    original: images(({ original }) => original!),
    adversarial: images(({ adversarial }) => adversarial!),
  };
}
