import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { Share } from '../data/loader.js';
import { WeirError } from '../flow/errors.js';
import type { Flow } from '../flow/flow.js';
import type { FlowState } from '../flow/state.js';
import type { Consensus, Votes } from '../run/consensus.js';
import { pack, type Segment } from '../storage/codec.js';
import { sha256Of } from '../storage/digest.js';
import { version } from '../storage/file-format.js';
import type { ModuleFiles } from '../storage/module-files.js';
import { type RunConfig, RunFolder } from '../storage/run-folder.js';
import type { RunState } from '../storage/run-state.js';
import { type ProcessGroup, singleProcess } from '../tensorflow/collectives/process-group.js';
import { tf } from '../tensorflow/tf.js';
import { reportToSupervisor } from './messages.js';

/**
 * The consensus of the ranks of a run. All ranks run the same graph and so reach the same barriers: there each casts its votes, and all act
 * alike. Rank 0 alone writes. A process by itself agrees with itself, at no cost.
 */
export class RankConsensus implements Consensus {
  constructor(private readonly ranks: ProcessGroup = singleProcess) {
    if (!this.alone) ranks.onCall = (calls) => reportToSupervisor({ kind: 'collective', calls });
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

  /**
   * The votes of all ranks together, at the barrier after `update`: one vote of any rank is enough. Decisions are compared in the same sum.
   *
   * @throws {WeirError} that names the rank and the decision that differs
   */
  agree(votes: Votes, update: number, decisions: () => Readonly<Record<string, unknown>>): Votes {
    if (this.alone) return votes;
    reportToSupervisor({ kind: 'barrier', update });
    const { rank, ranks, spent } = this.ranks;
    const mine = decisions();
    const bySelf = (value: number): number[] => Array.from({ length: ranks }, (_, i) => (i === rank ? value : 0));
    const own = [
      ...[votes.stop, votes.snapshot, votes.hold].map(Number),
      ...bySelf(spent / 1000),
      ...bySelf(brief(mine)),
    ];
    const sums = [...tf.tidy(() => this.ranks.sum(tf.tensor1d(own)).dataSync<'float32'>().slice())];
    const [stop, snapshot, hold] = sums.splice(0, 3);
    this.waited = sums.splice(0, ranks);
    if (sums.some((one) => one !== sums[0])) {
      this.same(mine, {
        remedy:
          'all ranks must measure the same: give each the same data, and let no measurement depend on the rank; go on from the newest snapshot with `weir resume`',
      });
    }
    return { stop: stop! > 0, snapshot: snapshot! > 0, hold: hold! > 0 };
  }

  /** @throws {WeirError} where ranks cannot share the graph, or its parts or data differ between ranks */
  sameGraph(flow: Flow, update: number): void {
    if (this.alone) return;
    if (!flow.barrier.paced) {
      throw new WeirError('several ranks were to share a graph that trains nothing', 'leave --ranks out');
    }
    const inputs = flow.nodes.flatMap(({ name, inputs }) =>
      inputs.flatMap((input, i) => {
        const of = inputs.length === 1 ? `the data of '${name}'` : `data set ${i + 1} of '${name}'`;
        return Object.entries(input.fingerprint().properties).map(
          ([name, value]) => [`${of}: ${name}`, value] as const,
        );
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

  /** Compares the state of all ranks before it is written. @throws {WeirError} where the update or a state differs */
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

  /** Compares named values of all ranks with those of rank 0. @throws {WeirError} names the first that differs, and the rank */
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

  /** Rank 0 makes or opens the run's folder, and the others open it. @throws {WeirError} where a rank cannot see it */
  folder(open: () => RunFolder): RunFolder {
    if (this.alone) return open();
    const own = this.writes ? open() : undefined;
    const path = Buffer.from(this.ranks.gather(Buffer.from(own?.path ?? ''))[0]!).toString();
    if (own !== undefined) return own;
    try {
      return RunFolder.open(path);
    } catch (cause) {
      throw new WeirError(
        `rank ${this.ranks.rank} on ${hostname()} cannot open the run's folder ${path}: ${(cause as Error).message}`,
        'start the ranks in the same folder of a file system that all their machines share',
        { cause },
      );
    }
  }
}

/** The part of a run's start that must be the same for all ranks. */
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

/** A number of 24 bits, which a float32 holds exactly, for values that are compared. */
const brief = (values: Readonly<Record<string, unknown>>): number =>
  Number.parseInt(sha256Of(Buffer.from(JSON.stringify(values))).slice(0, 6), 16);

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};
