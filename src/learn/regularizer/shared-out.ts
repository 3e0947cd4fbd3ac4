import type { Data } from '../../flow/core-data.js';
import { pack, unpack } from '../../storage/pack.js';
import { ranks } from '../../tensorflow/collectives/joined.js';
import type { LayerPower } from '../spectral/layer.js';
import type { Singular, Spectrum } from '../spectral/spectrum.js';

/**
 * The spectrum of all layers, each found by one rank and told to the others: the same on all of them, and no layer is searched twice.
 * Layers go to the ranks in turn.
 */
export function spectrumOf(powers: readonly LayerPower[], find: (power: LayerPower) => Singular): Spectrum {
  const { rank, ranks: count, gather } = ranks();
  const own = powers.filter((_, i) => i % count === rank);
  const found = Object.fromEntries(own.map((power): [string, Singular] => [power.layer.name, find(power)]));
  if (count === 1) return found;
  const all: Spectrum = Object.assign({}, ...gather(pack(found as unknown as Data)).map((bytes) => unpack(bytes)));
  return Object.fromEntries(powers.map(({ layer }) => [layer.name, all[layer.name]!]));
}
