/** A place before or after a row of `extent`, mirrored into it without repeating its edge. */
export const mirrored = (place: number, extent: number): number => {
  const inside = Math.abs(place);
  return inside < extent ? inside : 2 * (extent - 1) - inside;
};
