import { WeirError } from '../../flow/errors.js';

/** What came out of a stage is not what was recorded; the message names the item, the field and both values. */
export class Mismatch extends WeirError {
  override name = 'Mismatch';

  constructor(
    message: string,
    /** The first item that differs, counted from 0. */
    readonly item: number,
    readonly field?: string,
  ) {
    super(message, 'if the new output is right, run this test once with WEIR_RECORD=1 and look at what changed');
  }
}
