import type { Box } from '../../data/dataset.js';
import { WeirError } from '../../flow/errors.js';
import { boxText, type Limits, limitsOf, usualBox } from '../../learn/box.js';
import { type LabeledSamples, type Normalization, writeInput } from '../inputs.js';

export { type Limits, limitsOf, usualBox };

/**
 * Refuses samples with a value that the box does not hold: the attack would clip them, and measure from where no sample is.
 *
 * @throws {WeirError} that names the first such sample, and the range that the data have
 */
export function checkInside(
  stage: string,
  samples: LabeledSamples,
  { lower, upper }: Limits,
  box: Box,
  normalize: Normalization | undefined,
): void {
  const range = limitsOf(stage, usualBox(normalize), lower.length); // what bytes become, whatever they are
  if (
    samples.values instanceof Uint8Array &&
    lower.every((value, i) => value <= range.lower[i]! && upper[i]! >= range.upper[i]!)
  )
    return;
  const row = new Float32Array(lower.length);
  let [least, most, outside] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1];
  for (let index = 0; index < samples.size; index++) {
    writeInput(samples, index, row, 0, normalize);
    for (let i = 0; i < row.length; i++) {
      const value = row[i]!;
      if (value < least) least = value;
      if (value > most) most = value;
      if (outside === -1 && (value < lower[i]! || value > upper[i]!)) outside = index;
    }
  }
  if (outside === -1) return;
  throw new WeirError(
    `stage '${stage}': sample ${outside} of '${samples.name}' lies outside of the box ${boxText(box)}; the values of all samples go from ${least} to ${most}`,
    `give the box that inputs may take, such as { box: { min: ${Math.floor(least)}, max: ${Math.ceil(most)} } }; for pixels from 0 to 1 that are normalized, hand the attack the pixels and { normalize }, and it finds its box`,
  );
}
