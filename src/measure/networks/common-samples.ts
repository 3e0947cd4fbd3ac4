import { mean } from '../../plot/statistics.js';
import type { AttackedSample, AttackReport, CommonSamples } from '../attack/attacked.js';
import type { NetworkReport } from './record.js';
import { correctSamples, foundSamples } from './summary.js';

/**
 * The networks, each attack with its common samples: those of networks of the same pipeline, setting and seed, and of refitted readouts
 * among themselves. A network that is compared with none has none.
 *
 * @example const compared = withCommonSamples(report.networks);
 */
export function withCommonSamples(networks: readonly NetworkReport[]): NetworkReport[] {
  const own = commonOf(networks, ({ attack }) => attack);
  const refitted = commonOf(networks, ({ readout }) => readout?.attack ?? null);
  return networks.map((network) => {
    const { attack, readout } = network;
    const [common, again] = [own.get(network), refitted.get(network)];
    return {
      ...network,
      ...(attack && common && { attack: { ...attack, common } }),
      ...(readout?.attack && again && { readout: { ...readout, attack: { ...readout.attack, common: again } } }),
    };
  });
}

type AttackIn = (network: NetworkReport) => AttackReport | null;

function commonOf(networks: readonly NetworkReport[], attackIn: AttackIn): Map<NetworkReport, CommonSamples> {
  const compared = new Map<string, NetworkReport[]>();
  for (const network of networks) {
    if ((attackIn(network)?.samples ?? []).length === 0) continue;
    const { pipeline, setting = '', seed } = network;
    const key = JSON.stringify([pipeline, setting, seed]);
    compared.set(key, [...(compared.get(key) ?? []), network]);
  }
  return new Map(
    [...compared.values()].filter(({ length }) => length > 1).flatMap((own) => [...amongThem(own, attackIn)]),
  );
}

function* amongThem(networks: readonly NetworkReport[], attackIn: AttackIn): Generator<[NetworkReport, CommonSamples]> {
  const attacks = networks.map((network) => ({ ...network, attack: attackIn(network) }));
  const attacked = sharedBy(attacks.map(({ attack }) => attack!.samples));
  const correct = sharedBy(attacks.map(correctSamples));
  const samples = sharedBy(attacks.map(foundSamples));
  for (const [i, network] of networks.entries()) {
    const own = foundSamples(attacks[i]!).filter(({ index }) => samples.has(index));
    const pixels = own.flatMap(({ pixelDistance }) => pixelDistance ?? []);
    const common = {
      networks: networks.length,
      attacked: attacked.size,
      correct: correct.size,
      samples: samples.size,
      meanDistance: own.length > 0 ? mean(own.map(({ distance }) => distance)) : null,
      meanBest: own.length > 0 ? mean(own.map(({ distance, upper }) => upper ?? distance)) : null,
      meanPixelDistance: pixels.length > 0 && pixels.length === own.length ? mean(pixels) : null,
    };
    yield [network, common];
  }
}

/** The indices that occur in each list. */
function sharedBy([first = [], ...others]: readonly (readonly AttackedSample[])[]): ReadonlySet<number> {
  const rest = others.map((samples) => new Set(samples.map(({ index }) => index)));
  return new Set(first.flatMap(({ index }) => (rest.every((own) => own.has(index)) ? index : [])));
}

/** How many images the networks of each seed share, a sentence; '' where none are compared. @param networks of one setting */
export function commonSentence(networks: readonly NetworkReport[]): string {
  const all = networks.flatMap(({ attack }) => attack?.common ?? []);
  if (all.length === 0) return '';
  const range = (of: (common: CommonSamples) => number): string => {
    const counts = all.map(of);
    const [least, most] = [Math.min(...counts), Math.max(...counts)];
    return least === most ? String(least) : `${least} to ${most}`;
  };
  return `Common samples of the networks of a seed: all ${range((one) => one.networks)} were attacked on ${range((one) => one.attacked)} same images, get ${range((one) => one.correct)} of them right, and have an adversarial point of ${range((one) => one.samples)}.`;
}
