import { createHash } from 'node:crypto';
import type { TypedArray } from '../flow/data.js';
import type { Flow } from '../flow/flow.js';
import type { Fingerprint, Input, InputSamples } from '../flow/header.js';
import { bytesOf } from '../storage/codec.js';
import { sha256Of } from '../storage/digest.js';

interface Samples {
  readonly name: string;
  readonly size: number;
  readonly sampleShape: readonly number[];
  readonly classes?: readonly string[];
  readonly labels: TypedArray;
  readonly values?: TypedArray | undefined;
  /** Of images that were decoded into memory: the marks of their files. */
  readonly origins?: Float64Array | undefined;
}

/**
 * Labeled samples as an input of a stage. Their fingerprint is their number and shape, the names of their classes in order, and SHA-256 of
 * labels and values.
 *
 * @param files of samples that are read one by one during a run: a line each, see `Fingerprint`
 * @param marks of images, see `Input`
 */
export function samplesInput(samples: Samples, files?: () => readonly string[], marks?: () => Float64Array): Input {
  const { origins } = samples;
  return {
    name: samples.name,
    samples,
    marks: marks ?? (origins && (() => origins)),
    fingerprint() {
      let known = fingerprints.get(samples);
      if (known === undefined) {
        known = readThrough(samples, files?.());
        fingerprints.set(samples, known);
      }
      return known;
    },
  };
}

function readThrough(samples: Samples, files: readonly string[] | undefined): Fingerprint {
  const { size, sampleShape, classes, labels, values } = samples;
  const properties = {
    samples: size,
    shape: sampleShape,
    ...(classes && { classes }),
    labels: sha256Of(bytesOf(labels)),
    ...(values && { values: sha256Of(bytesOf(values)) }),
    ...(files && { images: sha256Of(Buffer.from(files.join('\n'))) }),
  };
  return { properties, ...(files && { files }) };
}

/** A data set that several stages take is hashed once. */
const fingerprints = new WeakMap<Samples, Fingerprint>();

/** Values of a sample, at least, for a comparison: shorter samples, such as points of XOR, coincide by chance. */
const SHORTEST = 16;

/**
 * A sentence for each measured data set that holds samples of the training data: with files that were exchanged or copied, training
 * accuracy would pass for test accuracy. A data set that is measured under the name of the training data is measured on purpose.
 *
 * Samples in memory are compared by their bytes, images by their files. So an image in a pack of
 * pixels, or of another size, does not match its file in a folder.
 */
export function overlaps(flow: Flow): string[] {
  const taken = flow.nodes.flatMap(({ inputs, afterSerial }) => inputs.map((input) => ({ input, afterSerial })));
  const trainedOn = distinct(taken.filter(({ afterSerial }) => !afterSerial).map(({ input }) => input));
  const measured = distinct(taken.filter(({ afterSerial }) => afterSerial).map(({ input }) => input));
  return measured.flatMap((test) =>
    trainedOn
      .filter(({ name }) => name !== test.name)
      .flatMap((train) => {
        const { count, size } = common(test, train);
        if (count === 0) return [];
        return [
          `${count} of ${size} samples of '${test.name}' are among those of '${train.name}', which the network is trained on: measurements on them say nothing about new data`,
        ];
      }),
  );
}

/** Inputs that have samples, each once, for several stages may take the same data set. */
const distinct = (inputs: readonly Input[]): Input[] => [
  ...new Map(inputs.filter(({ samples }) => samples !== undefined).map((one) => [one.samples, one])).values(),
];

/** How many samples of one data set are in the other one too. */
function common(test: Input, train: Input): { readonly count: number; readonly size: number } {
  const [theirs, own] = comparable(test, train);
  const known = new Set<string | number>(own);
  let count = 0;
  for (const one of theirs) if (known.has(one)) count++;
  return { count, size: theirs.length };
}

type Marks = readonly string[] | Float64Array;

function comparable(test: Input, train: Input): readonly [Marks, Marks] {
  if (test.marks && train.marks) return [test.marks(), train.marks()];
  const [a, b] = [test.samples!, train.samples!];
  const alike = a.values?.constructor === b.values?.constructor && lengthOf(a) === lengthOf(b);
  return alike && lengthOf(a) >= SHORTEST ? [digestsOf(a), digestsOf(b)] : [[], []];
}

const lengthOf = ({ values, size }: InputSamples): number => (values === undefined ? 0 : values.length / size);

/** A digest of each sample, in order; computed once for a data set, which comes again with every network. */
function digestsOf(samples: InputSamples): readonly string[] {
  const known = digests.get(samples);
  if (known !== undefined) return known;
  const bytes = bytesOf(samples.values!);
  const length = bytes.length / samples.size;
  const found = Array.from({ length: samples.size }, (_, i) =>
    createHash('sha1')
      .update(bytes.subarray(i * length, (i + 1) * length))
      .digest('base64'),
  );
  digests.set(samples, found);
  return found;
}

const digests = new WeakMap<InputSamples, readonly string[]>();
