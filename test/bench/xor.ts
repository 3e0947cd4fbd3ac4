import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import xor from '../../pipelines/xor.js';
import { Flow } from '../../src/flow/flow.js';
import { ensemble } from '../../src/learn/ensemble/ensemble.js';
import { resolveConfig } from '../../src/run/config.js';
import type { Streams } from '../../src/run/pipeline.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { compare, median, pythonPeer, type Side } from './compare.js';

const seeds = 10;
const regularizers = ['none', 'rep-spectral', 'll-spectral'] as const;
/** The authors' names of them. */
const theirs = ['None', 'eig-ub', 'spectral'];

/**
 * Clean XOR, 10 seeds × 3 methods, the paper's 15,000 epochs: the pipeline's training with its ticks and its log's streams,
 * nothing written. Against PyTorch with all networks in one set of tensors, trained from the same weights, and against the authors'
 * scripts one after another: one seed of each method is run and taken ten times.
 */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= '2';
  const runtime = await loadTensorFlow();
  const settings = [`seeds=${seeds}`, `regularizers=${regularizers.join(',')}`];
  const config = resolveConfig(xor.config, xor.profiles, settings) as Parameters<typeof xor.networks>[0];
  const [network] = xor.networks(config, 0);
  const members = network!.members!.map(({ regularizer }) => regularizer);
  let found: Record<string, number>[] = [];

  const ours: Side = {
    name: `Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads)`,
    async round() {
      const { updates$, ticks$, tests$, sigmas$ } = await xor.wire({ config, network: network!, seed: 0 });
      found = [];
      const flow = new Flow({ updates$, ticks$, tests$, sigmas$ } as Streams);
      flow.nodes.find(({ name }) => name === 'layer norms')!.listener = (item) =>
        found.push((item as { sigma: Record<string, number> }).sigma);
      const begun = performance.now();
      await flow.start();
      return (performance.now() - begun) / 1000;
    },
  };

  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const file = join(folder, 'weights.f32');
  const start = ensemble([2, config.hidden, 2], network!.members! as Parameters<typeof ensemble>[1]).start();
  writeFileSync(file, Buffer.from(start.get('members')!.dataSync<'float32'>().slice().buffer));
  tf.dispose([...start.values()]);
  const { hidden, epochs, burnIn, gamma } = config;
  const batched = await pythonPeer('xor_batched.py', [
    ...[file, hidden, epochs, burnIn, gamma, 1].map(String),
    ...members,
  ]);
  let sigmas: number[][] = [];
  const peer: Side =
    batched === undefined
      ? { name: 'no peer', round: () => Number.NaN }
      : {
          name: `${batched.ready}, batched over networks`,
          async round() {
            const answer = await batched.ask('round');
            sigmas = answer.sigmas as number[][];
            return answer.seconds;
          },
          close: batched.close,
        };
  const rounds = Number(process.env.WEIR_ROUNDS ?? 3);
  const work = { amount: members.length * epochs, unit: 'updates of a network' };
  const measured = await compare({ name: 'xor-batched', ours, peer, reach: 1, rounds, warmUp: 1, work });
  rmSync(folder, { recursive: true });
  if (batched !== undefined) console.log(agreement(found.slice(-members.length), sigmas));

  const reference = process.env.WEIR_REFERENCE;
  if (!reference) console.log('WEIR_REFERENCE is not set: name a checkout of Pehlevan-Group/rep-spectral');
  const authors = reference
    ? await pythonPeer('xor_authors.py', [reference, String(epochs), String(burnIn)])
    : undefined;
  if (authors === undefined) return false;
  let seed = 0;
  for (const regularizer of theirs) {
    const { seconds } = await authors.ask(JSON.stringify({ regularizer, seed: 400 }));
    console.log(`authors' script, ${regularizer}, one seed: ${seconds.toFixed(1)} s (${authors.ready})`);
    seed += seconds;
  }
  authors.close();
  const ratio = (seeds * seed) / median(measured.ours);
  console.log(`authors' scripts for ${seeds} seeds, one seed taken ${seeds} times: ${(seeds * seed).toFixed(0)} s`);
  console.log(`xor ratio ${ratio.toFixed(2)} (reach 20.00)`);
  return ratio >= 20 && measured.reached;
}

/** How far the networks of both sides, which began with the same weights, are from each other in the end. */
function agreement(ours: readonly Record<string, number>[], peer: readonly number[][]): string {
  const off = ours.flatMap((sigma, m) =>
    Object.values(sigma).map((value, layer) => Math.abs(value / peer[layer]![m]! - 1)),
  );
  return `σ of ${ours.length} networks against PyTorch's: median difference ${(100 * median(off)).toFixed(3)} %, largest ${(100 * Math.max(...off)).toFixed(3)} %`;
}
