/**
 * Turns rows of W x into p − e_y, p = softmax(W x + b).
 *
 * @returns Σ −log p_y
 */
export function softmaxLoss(rows: Float64Array, b: Float64Array, labels: ArrayLike<number>, first: number): number {
  const classes = b.length;
  let loss = 0;
  for (let at = 0, n = first; at < rows.length; at += classes, n++) {
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) {
      rows[at + k]! += b[k]!;
      if (!(rows[at + k]! <= top)) top = rows[at + k]!; // a NaN gets to the loss
    }
    let sum = 0;
    const label = labels[n]!;
    const own = rows[at + label]! - top;
    for (let k = 0; k < classes; k++) {
      rows[at + k] = Math.exp(rows[at + k]! - top);
      sum += rows[at + k]!;
    }
    for (let k = 0; k < classes; k++) rows[at + k]! /= sum;
    rows[at + label]! -= 1;
    loss += Math.log(sum) - own;
  }
  return loss;
}
