import { WeirError } from '../../flow/errors.js';

/** Where a layer's numbers lie in a member's row, and its v in a row of directions. */
export interface PlacedLayer {
  readonly name: string;
  readonly in: number;
  readonly out: number;
  /** [in, out], row-major. */
  readonly kernel: number;
  /** [out]. */
  readonly bias: number;
  readonly direction: number;
  /** s in h = gelu((h W + b) s): 1 for the first layer, 1/√in for the others, as `mlp` has it. */
  readonly scale: number;
}

/** A whole network in one row of numbers: layer by layer its kernel and its bias. */
export interface Layout {
  /** Widths from the input to the classes. */
  readonly sizes: readonly number[];
  readonly layers: readonly PlacedLayer[];
  /** P, the length of a row. */
  readonly parameters: number;
  /** D, the length of a row of directions: the inputs of all layers. */
  readonly inputs: number;
}

/** The layout of a fully connected network. @throws {WeirError} where the widths make none */
export function layoutOf(sizes: readonly number[]): Layout {
  if (sizes.length < 3 || !sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw new WeirError(
      `an ensemble of networks of sizes [${sizes.join(', ')}] was asked for`,
      'give the numbers of inputs, of units in at least one hidden layer, and of classes, such as [2, 8, 2]',
    );
  }
  let parameters = 0;
  let inputs = 0;
  const layers = sizes.slice(1).map((out, l): PlacedLayer => {
    const fanIn = sizes[l]!;
    const kernel = parameters;
    const bias = kernel + fanIn * out;
    const direction = inputs;
    parameters = bias + out;
    inputs += fanIn;
    const name = l === sizes.length - 2 ? 'readout' : `hidden${l + 1}`;
    return { name, in: fanIn, out, kernel, bias, direction, scale: l === 0 ? 1 : 1 / Math.sqrt(fanIn) };
  });
  return { sizes, layers, parameters, inputs };
}
