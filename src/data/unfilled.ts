/**
 * Floats that are nothing yet, in memory of their own: for what writes all of them. To fill a block of large images with zeros first
 * takes a tenth of the time in which it is rendered.
 */
export const unfilled = (length: number): Float32Array<ArrayBuffer> =>
  new Float32Array(Buffer.allocUnsafeSlow(4 * length).buffer as ArrayBuffer, 0, length);
