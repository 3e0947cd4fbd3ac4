import { WeirError } from '../flow/errors.js';
import type { Flow, Outcome } from '../flow/flow.js';
import { abandon } from '../flow/wiring.js';
import { Execution } from '../run/execution.js';
import { pipeline, streamName } from '../run/pipeline.js';
import { unwatched, type Watch } from '../run/watch.js';
import { RunFolder } from '../storage/run-folder.js';
import { runState } from '../storage/run-state.js';
import { SnapshotStore } from '../storage/snapshot-store.js';
import { inSurroundings } from '../surroundings/surroundings.js';
import { fair, SimulatedClock } from './clock.js';
import { failure, SimulatedDisk } from './disk.js';
import { wired } from './graph.js';
import { type Blow, type GraphPlan, isAnswered, type SchedulePlan, type TrialPlan } from './plan.js';
import { type Promised, Rules } from './rules.js';
import { schedulerOf } from './scheduler.js';

/** What came out of a run, as far as Weir answers for it. */
export interface RunResult {
  /** The lines of the metric log, without what depends on the clock. */
  readonly log: readonly string[];
  /** The state of each node in the last snapshot, as JSON. */
  readonly states: Readonly<Record<string, string>>;
}

/** What a trial came to: the sentences of what is wrong, none where nothing is; the graph was refused where it cannot run at all. */
export interface TrialResult {
  readonly faults: readonly string[];
  readonly refused?: string;
  /** Items that the source handed out, snapshots and sessions, so that a reader sees that something was tried. */
  readonly counts: { readonly sessions: number; readonly snapshots: number; readonly calls: number };
}

const folder = '/run';
const mostCalls = 100_000; // a run of 200 items takes some hundred

/** Runs a graph undisturbed, then with all that its plan has befall it, and compares what comes out. */
export async function trial({ graph, schedule }: TrialPlan): Promise<TrialResult> {
  const faults: string[] = [];
  const counts = { sessions: 0, snapshots: 0, calls: 0 };
  const unhandled = (reason: unknown): void => {
    if (!isGone(reason)) faults.push(`a promise was rejected and nobody heard: ${shown(reason)}`);
  };
  process.on('unhandledRejection', unhandled);
  try {
    const calm: SchedulePlan = { ...schedule, sessions: [], weather: fair, short: 0, snapshotUpdates: 1e9 };
    const ideal = new SimulatedDisk(0);
    const first = await session(ideal, {
      graph,
      schedule: calm,
      seed: schedule.seed,
      blows: [],
      promised: { update: 0 },
    });
    if (first.end !== 'done') {
      const text = shown(first.error);
      return first.isTold || (first.error instanceof WeirError && !first.begun)
        ? { faults, refused: text, counts }
        : { faults: [...first.faults, `undisturbed it ends as '${first.end}': ${text}`], counts };
    }
    faults.push(...first.faults.map((one) => `undisturbed: ${one}`));
    const disk = new SimulatedDisk(schedule.seed);
    const sessions = [...schedule.sessions, []];
    const promised = { update: 0 };
    for (const [i, blows] of sessions.entries()) {
      counts.sessions++;
      disk.faults = { short: schedule.short };
      const ended = await session(disk, { graph, schedule, seed: schedule.seed + 1000 * (i + 1), blows, promised });
      counts.snapshots += ended.snapshots;
      counts.calls += ended.calls;
      faults.push(...ended.faults.map((one) => `session ${i + 1}: ${one}`));
      if (ended.end === 'power') disk.losePower();
      else disk.kill();
      if (ended.end === 'done') break;
      if (i === sessions.length - 1 && faults.length === 0)
        faults.push(`undisturbed at last it ends as '${ended.end}': ${shown(ended.error)}`);
      if (faults.length > 0) break;
    }
    if (faults.length === 0) faults.push(...differences(resultOf(ideal, graph), resultOf(disk, graph)));
  } finally {
    process.off('unhandledRejection', unhandled);
  }
  return { faults, counts };
}

interface SessionPlan {
  readonly graph: GraphPlan;
  readonly schedule: SchedulePlan;
  readonly seed: number;
  readonly blows: readonly Blow[];
  readonly promised: Promised;
}

interface SessionEnd {
  readonly end: Outcome | 'killed' | 'power' | 'failed' | 'stuck';
  readonly error?: unknown;
  readonly faults: readonly string[];
  /** Whether a graph was wired and its work begun. */
  readonly begun: boolean;
  /** Whether the user was told that an operator holds everything up. */
  readonly isTold: boolean;
  readonly snapshots: number;
  readonly calls: number;
}

/** One process: it begins a run or goes on with one, until it ends or is ended. */
async function session(
  disk: SimulatedDisk,
  { graph, schedule, seed, blows, promised }: SessionPlan,
): Promise<SessionEnd> {
  const clock = new SimulatedClock(seed, schedule.weather);
  const faults: string[] = [];
  let flow: Flow | undefined;
  let snapshots = 0;
  let calls = 0;
  let isTold = false; // that the flow waits for an operator, which drops more than it lets pass
  let gone: 'killed' | 'power' | undefined;
  let settled: { readonly end: Outcome | 'failed'; readonly error?: unknown } | undefined;
  let expected: string | undefined; // the code of a fault that may end the session

  const around = {
    seed: schedule.seed,
    scheduler: schedulerOf(clock),
    fault: (text: string) => void faults.push(text),
  };
  const simulated = pipeline({ name: 'simulated', config: {}, wire: () => wired(graph, around) });
  const rules = new Rules(graph, promised, around.fault);
  const watch: Watch = {
    ...unwatched,
    warn: (line) => {
      isTold ||= line.startsWith('waiting:');
    },
    network: (_, __, ___, begun, resumed) => {
      flow = begun;
      rules.begun(resumed);
    },
    snapshot: (_, update) => {
      snapshots++;
      rules.saved(update);
    },
  };

  const end = (how: 'killed' | 'power'): never => {
    gone = how;
    clock.end();
    throw processGone();
  };
  const diskBlows = new Map(blows.filter(({ by }) => by === 'disk').map(({ at, what }) => [at, what]));
  const from = disk.calls;
  let full = false;
  disk.faults = {
    ...disk.faults,
    before(call) {
      if (gone !== undefined) throw processGone();
      const what = diskBlows.get(call - from);
      if (what === 'kill' || what === 'power') end(what === 'kill' ? 'killed' : 'power');
      if (what === 'full') full = true;
      if (what === 'EIO' || full) {
        expected = full ? 'ENOSPC' : 'EIO';
        if (what === 'EIO') throw failure('EIO', `call ${call}`);
      }
      if (full) disk.faults = { ...disk.faults, capacity: disk.used };
    },
  };

  await inSurroundings({ clock, files: disk }, async () => {
    let execution: Execution | undefined;
    const act = (what: Blow['what']): void => {
      if (what === 'stop') execution?.requests.stop();
      else if (what === 'pause') execution?.requests.pause();
      else if (what === 'snapshot') execution?.requests.snapshot();
      else if (what === 'tap') rules.tap(flow);
      else if (what === 'kill' || what === 'power') {
        gone = what === 'kill' ? 'killed' : 'power';
        clock.end();
      }
    };
    const loopBlows = blows.filter(({ by }) => by === 'loop').sort((a, b) => a.at - b.at);
    const started = (async () => {
      const run = disk.exists(`${folder}/config.json`)
        ? RunFolder.open(folder)
        : RunFolder.create(folder, {
            ...{ module: '/simulated.ts', pipeline: 'simulated', seed: 0, config: {} },
            networks: [{ name: 'simulated' }],
          });
      const options = {
        snapshotEvery: 1e9,
        snapshotUpdates: schedule.snapshotUpdates,
        onSnapshotError: 'stop',
        watch,
      } as const;
      execution = new Execution(run, simulated as never, options);
      return await execution.run();
    })();
    started.then(
      (outcome) => {
        settled = { end: outcome };
      },
      (error: unknown) => {
        settled = { end: 'failed', error };
      },
    );
    const before = (count: number): void => {
      calls = count;
      if (count > mostCalls) {
        if (!isTold) around.fault(`it has not ended after ${mostCalls} calls`);
        clock.end();
        gone = 'killed';
        return;
      }
      while (loopBlows.length > 0 && loopBlows[0]!.at <= count) act(loopBlows.shift()!.what);
      if (flow !== undefined) rules.check(flow);
    };
    while (await clock.run(() => settled !== undefined, before)) execution?.requests.resume(); // held, and nobody else is left to ask
  });
  abandon();
  const common = { begun: flow !== undefined, isTold, snapshots, calls };
  if (gone !== undefined) return { end: gone, faults, ...common };
  if (settled === undefined)
    return { end: 'stuck', faults: [...faults, 'nothing moves, and nobody is told why'], ...common };
  if (settled.end === 'done' && flow !== undefined) rules.ended(flow);
  const isExpected =
    expected !== undefined && settled.error instanceof WeirError && settled.error.message.includes(expected);
  if (settled.end === 'failed' && !isExpected && blows.length > 0)
    faults.push(`the session ends with an error that nothing called for: ${shown(settled.error)}`);
  return { end: settled.end, ...(settled.error !== undefined && { error: settled.error }), faults, ...common };
}

/** What the disk holds of a finished run, as far as Weir answers for it. */
function resultOf(disk: SimulatedDisk, { branches }: GraphPlan): RunResult {
  disk.faults = {};
  const own = Object.keys(branches).filter((name) => !isAnswered(branches[name]!));
  const isOfUser = (name: string): boolean => own.some((branch) => name.includes(streamName(branch)));
  const lines = new TextDecoder()
    .decode(disk.read(`${folder}/metrics.ndjson`))
    .split('\n')
    .slice(0, -1);
  const log = lines.flatMap((line) => {
    const { wall: _, ...record } = JSON.parse(line) as { readonly wall?: unknown; readonly stream: string };
    return isOfUser(record.stream) ? [] : [JSON.stringify(record)];
  });
  const found = new SnapshotStore(`${folder}/snapshots/simulated`, { files: disk }).newest();
  const nodes = Object.entries(found === undefined ? {} : runState(found).flow.nodes);
  const states = nodes.flatMap(([name, state]) => (isOfUser(name) ? [] : [[name, JSON.stringify(state)] as const]));
  return { log, states: Object.fromEntries(states) };
}

const differences = (ideal: RunResult, found: RunResult): string[] => [
  ...logDifference(ideal.log, found.log),
  ...Object.keys({ ...ideal.states, ...found.states })
    .filter((name) => ideal.states[name] !== found.states[name])
    .map((name) => `the last state of '${name}' is ${found.states[name]}, not ${ideal.states[name]}`),
];

function logDifference(ideal: readonly string[], found: readonly string[]): string[] {
  const at = ideal.findIndex((line, i) => line !== found[i]);
  if (at < 0 && found.length === ideal.length) return [];
  const place = at < 0 ? ideal.length : at;
  return [`line ${place + 1} of the log is ${found[place] ?? 'missing'}, not ${ideal[place] ?? 'the end'}`];
}

/** What is thrown in a process that is gone, and heard by nobody. */
class Gone extends Error {}

const processGone = (): Gone => new Gone('the process is gone');

const isGone = (error: unknown): boolean =>
  error instanceof Gone || (error instanceof Error && error.cause !== undefined && isGone(error.cause));

const shown = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
