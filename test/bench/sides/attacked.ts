import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Model, Weights } from '../../../src/learn/model/model.js';
import type { Update } from '../../../src/learn/update.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { compare, type LinePeer, pythonPeer, type Side } from '../compare.js';

/** The stage of an attack, as far as it is run here. */
interface AttackStage {
  start(): unknown;
  next(state: never, update: Update): unknown;
}

/** Every result of an attack on these weights, in the order of the samples. */
export function attackedBy(stage: AttackStage, weights: Weights): AttackResult[] {
  const update = { position: 0, number: 0, epoch: 1, endsEpoch: true, weights } as unknown as Update;
  const results: AttackResult[] = [];
  for (const step of stage.next(stage.start() as never, update) as Iterable<readonly [unknown, AttackResult?]>) {
    if (step[1]) results.push(step[1]);
  }
  return results.sort((a, b) => a.index - b.index);
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** @throws {Error} where a sample has none */
export function meanDistance(results: readonly AttackResult[]): number {
  const odd = results.find(({ outcome }) => outcome !== 'found');
  if (odd) throw new Error(`sample ${odd.index} came out as ${odd.outcome}`);
  return mean(results.map(({ distance }) => distance));
}

/** Weights and samples as files of float32, for a peer in Python: the caller removes the folder. */
export function handedOver(weights: Weights, samples: readonly AttackResult[]): { folder: string; files: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const files = [
    [...weights.values()].map((tensor) => tensor.dataSync<'float32'>()),
    samples.map(({ original }) => original),
  ].map((parts, i) => {
    const path = join(folder, `${i}.f32`);
    writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))));
    return path;
  });
  return { folder, files };
}

/** DDN of ours beside that of each library that is there. */
export interface DdnComparison {
  readonly name: string;
  readonly model: Model;
  readonly weights: Weights;
  /** As `peers/ddn.py` takes it. */
  readonly network: string;
  readonly samples: readonly AttackResult[];
  readonly threads: number;
  /** Steps of theirs. */
  readonly steps: number;
  readonly reach: number;
  /** Our mean distance may be so many times theirs. */
  readonly longest: number;
  readonly runtime: string;
  /** One whole attack of ours on the samples. */
  readonly attack: () => AttackResult[];
}

/** Both sides in turns, against each library by itself: true where every one that is there is reached, and one is. */
export async function compareDdn(work: DdnComparison): Promise<boolean> {
  const { name, network, weights, samples, threads, steps, reach, longest, runtime, attack } = work;
  const { folder, files } = handedOver(weights, samples);
  let peer: LinePeer | undefined;
  try {
    peer = await pythonPeer('ddn.py', [network, ...files, samples.length, threads].map(String));
    if (peer === undefined) return false;
    const found: boolean[] = [];
    for (const library of ['foolbox', 'adv-lib']) {
      const first = await peer.ask(`${library} 1`);
      if (first.missing !== undefined) {
        console.log(`${library}: ${first.missing}`);
        continue;
      }
      found.push(await beside(library, peer));
    }
    return found.length > 0 && found.every((reached) => reached);
  } finally {
    peer?.close();
    rmSync(folder, { recursive: true });
  }

  async function beside(library: string, python: LinePeer): Promise<boolean> {
    let own: readonly number[] = []; // NaN where no adversarial point was found
    let theirs: readonly number[] = [];
    const ours: Side = {
      name: `Weir (${runtime})`,
      round() {
        const begin = performance.now();
        own = attack().map(({ distance }) => distance);
        return (performance.now() - begin) / 1e3;
      },
    };
    const other: Side = {
      name: `${library}, ${steps} steps (${python.ready})`,
      async round() {
        const answer = await python.ask(`${library} ${steps}`);
        const found = answer.adversarial as boolean[];
        theirs = (answer.distances as number[]).map((distance, i) => (found[i] ? distance : Number.NaN));
        return answer.seconds;
      },
    };
    const rounds = Number(process.env.WEIR_ROUNDS ?? 5);
    const amount = { amount: samples.length, unit: 'samples' };
    const { reached } = await compare({ name, ours, peer: other, reach, rounds, warmUp: 1, work: amount });
    const count = (of: readonly number[]): number => of.filter(Number.isFinite).length;
    const shared = [...own.keys()].filter((i) => Number.isFinite(own[i]! - theirs[i]!));
    const [a, b] = [own, theirs].map((of) => mean(shared.map((i) => of[i]!))) as [number, number];
    console.log(
      `mean distance ${a.toFixed(4)} against ${b.toFixed(4)} by ${library}: ${(100 * (a / b - 1)).toFixed(2)} %; found ${count(own)} and ${count(theirs)} of ${samples.length}`,
    );
    return reached && a / b <= longest && count(own) >= count(theirs);
  }
}
