import { WeirError } from '../../flow/errors.js';

/** @throws {WeirError} for labels that are none of the classes, and for a class that no sample is of */
export function checkLabels(labels: ArrayLike<number>, samples: number, classes: number): void {
  if (classes < 2) {
    throw new WeirError(
      `a readout was asked for over ${classes} class${classes === 1 ? '' : 'es'}`,
      'it tells classes apart: give it samples of two at least',
    );
  }
  if (labels.length !== samples) {
    throw new WeirError(`a readout was given ${samples} samples and ${labels.length} labels`, 'give a label a sample');
  }
  const counts = new Array<number>(classes).fill(0);
  for (let n = 0; n < samples; n++) {
    const label = labels[n]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new WeirError(
        `sample ${n} has the label ${label}, and the readout tells ${classes} classes apart`,
        `give whole numbers from 0 to ${classes - 1}`,
      );
    }
    counts[label]!++;
  }
  const missing = counts.indexOf(0);
  if (missing === -1) return;
  throw new WeirError(
    `not one of the ${samples} samples of a readout is of class ${missing}: its intercept would go to −∞`,
    'give it samples of every class',
  );
}
