import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { Share } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Flow, FlowState } from '../flow/flow.js';
import type { Consensus, Votes } from '../run/consensus.js';
import { pack, type Segment } from '../storage/codec.js';
import { sha256Of } from '../storage/digest.js';
import { version } from '../storage/file-format.js';
import type { ModuleFiles } from '../storage/module-files.js';
import { type RunConfig, RunFolder } from '../storage/run-folder.js';
import type { RunState } from '../storage/run-state.js';
import { alone, type ProcessGroup } from '../tensorflow/collectives/process-group.js';
import { tf } from '../tensorflow/tf.js';
import { reportToSupervisor } from './messages.js';

/**
 * What the ranks of a run agree upon. They are at rest at the same places, for they run the same graph: there each says what it was asked
 * for, and all do the same. Rank 0 alone writes. By itself a process agrees with itself, at no cost.
 */
export class RankConsensus implements Consensus {
  constructor(private readonly ranks: ProcessGroup = alone) {
    if (!this.alone) ranks.onCall = (calls) => reportToSupervisor({ kind: 'waits', calls });
  }

  get share(): Share {
    return { rank: this.ranks.rank, ranks: this.ranks.ranks };
  }

  get alone(): boolean {
    return this.ranks.ranks === 1;
  }

  /** Whether this process writes the run's folder. */
  get writes(): boolean {
    return this.ranks.rank === 0;
  }

  /** Seconds that each rank has waited for the others so far, by rank. */
  waited: readonly number[] = [];

  /** What any rank was asked for, `update` being the newest. */
  agree(votes: Votes, update: number): Votes {
    if (this.alone) return votes;
    reportToSupervisor({ kind: 'at', update });
    const { rank, ranks, spent } = this.ranks;
    const seconds = Array.from({ length: ranks }, (_, i) => (i === rank ? spent / 1000 : 0));
    const own = [votes.stop, votes.snapshot, votes.hold].map(Number);
    const all = tf.tidy(() =>
      this.ranks
        .sum(tf.tensor1d([...own, ...seconds]))
        .dataSync<'float32'>()
        .slice(),
    );
    const [stop, snapshot, hold, ...waited] = all;
    this.waited = waited;
    return { stop: stop! > 0, snapshot: snapshot! > 0, hold: hold! > 0 };
  }

  /** Refuses a graph that ranks cannot share, or whose parts or data are not the same on all of them. */
  sameGraph(flow: Flow, update: number): void {
    if (this.alone) return;
    if (!flow.paced) {
      throw new WeirError('several ranks were to share a graph that trains nothing', 'leave --ranks out');
    }
    const inputs = flow.nodes.flatMap(({ name, inputs }) =>
      inputs.flatMap((input, i) => {
        const of = inputs.length === 1 ? `the data of '${name}'` : `data set ${i + 1} of '${name}'`;
        return Object.entries(input.fingerprint().facts).map(([fact, is]) => [`${of}: ${fact}`, is] as const);
      }),
    );
    this.same(
      {
        'the update to go on from': update,
        'the parts of the graph': flow.nodes.map(({ name }) => name).join(', '),
        ...Object.fromEntries(inputs),
      },
      { remedy: 'give all ranks the same data, the same version of all files, and the same folder of the run' },
    );
  }

  /** Refuses to go on where the update, or what was made of it, is not the same on all ranks, before any of it is written. */
  sameState(flow: Flow, { update, flow: { nodes } }: RunState): void {
    if (this.alone) return;
    const states = flow.atUpdate.map((name) => [`the state of '${name}'`, digest(nodes[name]!)]);
    this.same(
      { 'the newest update': update, ...Object.fromEntries(states) },
      {
        remedy:
          'the ranks must compute alike: the same processor, runtime and number of threads on each; go on from the snapshot before',
      },
    );
  }

  /** Refuses to go on where what this rank has is not what rank 0 has; says which it is, and on which rank. */
  same(mine: Readonly<Record<string, unknown>>, { remedy }: { readonly remedy: string }): void {
    if (this.alone) return;
    const all = this.ranks
      .gather(Buffer.from(JSON.stringify({ host: hostname(), mine })))
      .map(
        (bytes) => JSON.parse(Buffer.from(bytes).toString()) as { readonly host: string; readonly mine: typeof mine },
      );
    const first = all[0]!;
    for (const [rank, theirs] of all.entries()) {
      const keys = Object.keys({ ...first.mine, ...theirs.mine });
      const odd = keys.find((key) => !isDeepStrictEqual(theirs.mine[key], first.mine[key]));
      if (odd === undefined) continue;
      throw new WeirError(
        `rank ${rank} on ${theirs.host} has ${odd} = ${shown(theirs.mine[odd])}, and rank 0 on ${first.host} has ${shown(first.mine[odd])}`,
        remedy,
      );
    }
  }

  /** Rank 0 makes or opens the run's folder, and the others open it. @throws {WeirError} where it is not there for one of them */
  folder(open: () => RunFolder): RunFolder {
    if (this.alone) return open();
    const own = this.writes ? open() : undefined;
    const path = Buffer.from(this.ranks.gather(Buffer.from(own?.path ?? ''))[0]!).toString();
    if (own !== undefined) return own;
    try {
      return RunFolder.open(path);
    } catch (cause) {
      throw new WeirError(
        `rank ${this.ranks.rank} on ${hostname()} does not find the run's folder ${path}: ${(cause as Error).message}`,
        'start the ranks in the same folder of a file system that all their machines share',
        { cause },
      );
    }
  }
}

/** What a run is started with, as far as all ranks must agree on it. */
export function startedWith(
  { pipeline, seed, config }: Pick<RunConfig, 'pipeline' | 'seed' | 'config'>,
  files: ModuleFiles,
) {
  const keys = JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
  const started = { 'the version of Weir': version, 'the pipeline': pipeline, 'the seed': seed };
  const code = Object.entries(files).map(([path, sum]) => [`the SHA-256 of ${path}`, sum]);
  return { ...keys, ...started, ...Object.fromEntries(code) };
}

function digest(node: FlowState['nodes'][string]): string {
  const segments: Segment[] = [];
  const header = pack(node, segments);
  return sha256Of(
    header,
    ...segments.map(({ array }) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)),
  );
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};
