import { isAttack } from '../measure/attack/record.js';
import { newestOf, numberIn } from '../measure/log.js';
import type { NetworkReport } from '../measure/networks/record.js';

/**
 * One of the ways in which the distances of a claim are taken.
 *
 * - by `Tangent Attack`: as in the paper; `tight`: the nearest point of all attacks and scans on the image, an upper bound of the true
 *   distance; `proved`: the rigorous lower bound; `pixels`: by Tangent Attack, in units of pixels from 0 to 1.
 * - over `own` images: those that the network classifies correctly; over `common` ones: those that all networks of its seed do.
 */
export interface View {
  readonly by: 'Tangent Attack' | 'tight' | 'proved' | 'pixels';
  readonly over: 'own' | 'common';
}

/** The ways in which every claim on distances is judged: the first is the paper's. */
export const VIEWS: readonly View[] = [
  { by: 'Tangent Attack', over: 'own' },
  { by: 'Tangent Attack', over: 'common' },
  { by: 'tight', over: 'own' },
  { by: 'tight', over: 'common' },
];

/** The lower side, and the attack's distances in pixel units: they stand beside the others, and are not judged by. */
export const BESIDE: readonly View[] = [
  { by: 'proved', over: 'own' },
  { by: 'pixels', over: 'own' },
];

export const viewName = ({ by, over }: View): string => {
  const images = over === 'own' ? 'each network’s own correct images' : 'images that all get right';
  const distance = {
    'Tangent Attack': 'by Tangent Attack',
    tight: 'nearest point of all attacks',
    proved: 'proved lower bound',
    pixels: 'by Tangent Attack in pixel units',
  };
  return `${distance[by]}, ${images}`;
};

/** Both sides of the distance of one correctly classified image. */
interface Sides {
  attacked: number | null;
  upper: number | null;
  lower: number | null;
  pixels: number | null;
}

/** Which readout the network is attacked with: the one it was trained with, or one fitted anew. */
export type Readout = 'own' | 'refitted';

/** Distances of a network's correctly classified images by their place in the test set. */
export function distancesOf(
  network: NetworkReport,
  { by, over }: View,
  peers: readonly NetworkReport[],
  readout: Readout = 'own',
): ReadonlyMap<number, number> {
  const own = bySide(network, by, readout);
  if (over === 'own') return own;
  const others = peers.filter((peer) => peer !== network).map((peer) => bySide(peer, by, readout));
  return new Map([...own].filter(([index]) => others.every((other) => other.has(index))));
}

const known = new WeakMap<NetworkReport, Map<Readout, ReadonlyMap<number, Sides>>>();

function bySide(network: NetworkReport, by: View['by'], readout: Readout): ReadonlyMap<number, number> {
  const ofNetwork = known.get(network) ?? new Map<Readout, ReadonlyMap<number, Sides>>();
  known.set(network, ofNetwork);
  const sides = ofNetwork.get(readout) ?? sidesOf(network, readout);
  ofNetwork.set(readout, sides);
  const side = ({ 'Tangent Attack': 'attacked', tight: 'upper', proved: 'lower', pixels: 'pixels' } as const)[by];
  return new Map([...sides].flatMap(([index, one]) => (one[side] === null ? [] : [[index, one[side]] as const])));
}

/** Both sides of each image's distance, by all attacks on the network and, in the plane, by the scan around it. */
export function sidesOf(network: NetworkReport, readout: Readout = 'own'): ReadonlyMap<number, Sides> {
  const sides = new Map<number, Sides>();
  const at = (index: number): Sides => {
    const one = sides.get(index) ?? { attacked: null, upper: null, lower: null, pixels: null };
    sides.set(index, one);
    return one;
  };
  const attack = readout === 'own' ? network.attack : (network.readout?.attack ?? null);
  for (const { index, label, predicted, distance, upper, lower, pixelDistance } of attack?.samples ?? []) {
    if (predicted !== label) continue;
    const one = at(index);
    one.attacked = finite(distance);
    one.pixels = finite(pixelDistance);
    one.upper = least(one.upper, finite(distance), finite(upper));
    one.lower = most(one.lower, finite(lower));
  }
  for (const { description, records } of Object.values(network.measurements ?? {})) {
    if (!isAttack(description)) continue;
    for (const line of newestOf(records)) {
      if (line.predicted !== line.label || (line.readout === 'refitted') !== (readout === 'refitted')) continue;
      const one = at(Number(line.index));
      one.upper = least(one.upper, finite(numberIn(line, 'distance')));
      one.lower = most(one.lower, finite(numberIn(line, 'lower')));
    }
  }
  if (readout === 'refitted') return sides;
  for (const { index, distance } of network.exact ?? []) {
    if (!Number.isFinite(distance)) continue;
    const one = at(index);
    one.upper = least(one.upper, distance);
  }
  for (const { index, label, predicted, lower } of network.certificates ?? []) {
    if (predicted === label) at(index).lower = most(at(index).lower, finite(lower.l2));
  }
  return sides;
}

const ROUNDING = 1e-5; // of float32 distances, relative

/** Images with both a proved lower bound and a point that was found, and those whose bound is above it. */
export function crossedBounds(network: NetworkReport): {
  readonly images: number;
  readonly crossed: readonly number[];
} {
  const both = (['own', 'refitted'] as const).flatMap((readout) =>
    [...sidesOf(network, readout)].filter(([, { upper, lower }]) => upper !== null && lower !== null),
  );
  const crossed = both.filter(([, { upper, lower }]) => lower! > upper! * (1 + ROUNDING)).map(([index]) => index);
  return { images: both.length, crossed };
}

const finite = (value: number | null | undefined): number | null =>
  value !== null && value !== undefined && Number.isFinite(value) ? value : null;

const least = (...all: readonly (number | null)[]): number | null =>
  all.reduce((a, b) => (a === null ? b : b === null ? a : Math.min(a, b)), null);

const most = (...all: readonly (number | null)[]): number | null =>
  all.reduce((a, b) => (a === null ? b : b === null ? a : Math.max(a, b)), null);
