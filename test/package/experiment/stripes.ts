import * as weir from 'weir-engine';

const SIDE = 12;

/** A gray image of stripes: bright from a shifted start on, every `period` pixels, in a direction. */
function image(i: number): Uint8Array {
  const [shift, period, lies] = [i % 3, 3 + (i % 2), i % 4 < 2];
  return Uint8Array.from({ length: SIDE * SIDE }, (_, at) => {
    const [row, column] = [Math.floor(at / SIDE), at % SIDE];
    const bright = ((lies ? row : column) + shift) % period === 0;
    return (bright ? 180 : 40) + ((i * 7 + at * at * (i + 1)) % 61); // no image twice
  });
}

/** Data of one's own, from lists of bytes: half of the images lie, half stand. */
export function stripes(images: number) {
  const all = Array.from({ length: images }, (_, i) => i);
  return weir.dataset({
    name: 'stripes',
    values: all.map(image),
    labels: all.map((i) => (i % 4 < 2 ? 'lying' : 'standing')),
    sampleShape: [SIDE, SIDE, 1],
  });
}
