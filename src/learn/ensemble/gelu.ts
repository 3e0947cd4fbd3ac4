/** The same polynomial as in kernels/gelu.h: erfcx(|z|/√2)/2 over t = 1/(1 + 0.3|z|), largest relative error 6e-8. */
const coefficients = [
  0.038334685598783544, -0.1689539092909493, 0.2282211501801387, -0.07600375845930184, 0.1421877631138254,
  0.09483190277367265, 0.12188230918149422, 0.11949303091066255, 6.854671020518263e-6,
];

/** The distribution function of the standard normal law, within 6e-8 of itself. */
export function cumulative(z: number): number {
  const a = Math.abs(z);
  const t = 1 / (1 + 0.3 * a);
  let r = 0;
  for (const c of coefficients) r = r * t + c;
  const tail = Math.exp(-0.5 * a * a) * r;
  return z > 0 ? 1 - tail : tail;
}

/** The slope of gelu at z, given N(z): N(z) + z n(z). */
export const slopeOf = (z: number, cumulative: number): number =>
  cumulative + z * Math.exp(-0.5 * z * z) * 0.3989422804014327;
