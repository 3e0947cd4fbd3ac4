import pc from 'picocolors';
import { textTable } from '../flow/text-table.js';
import { count, duration, NONE, number } from '../plot/table.js';
import type { LifecycleState, RunStatus } from './status.js';

const paint: Readonly<Record<LifecycleState, (text: string) => string>> = {
  running: pc.green,
  elsewhere: pc.green,
  stopped: pc.yellow,
  failed: pc.red,
  killed: pc.red,
  done: pc.dim,
  damaged: pc.red,
  'older format': pc.dim,
};

const heads = [
  'state',
  'run',
  'network',
  'phase',
  'epoch',
  'update',
  'rate',
  'left',
  'to train',
  'snapshot',
  'process',
];

/** Runs as aligned lines, a run a line, and below them why those that failed did; a word where there is none. */
export function statusTable(all: readonly RunStatus[]): string[] {
  if (all.length === 0) return ['no runs'];
  const rows = all.map(cells).map(([state, ...rest], i) => [paint[all[i]!.state](state!), ...rest]);
  const [head, ...lines] = textTable([heads, ...rows]);
  const failed = all.flatMap(({ state, path, failure, damage }) => {
    const why = state === 'damaged' ? damage : state === 'failed' ? failure?.message : undefined;
    return why ? [`${pc.red(state)} ${path}: ${why.split('\n', 1)[0]}`] : [];
  });
  return [pc.dim(head!), ...lines, ...failed];
}

function cells(status: RunStatus): string[] {
  const { network, process, phase, measured, snapshotAge, secondsLeft, secondsToTrain, rate } = status;
  const running = status.state === 'running' || status.state === 'elsewhere';
  const of = (value: number | null, whole: number | null): string =>
    value === null ? NONE : `${count(value)}${whole === null ? '' : `/${count(whole)}`}`;
  const phaseOf = (): string => {
    if (status.state === 'done') return NONE;
    return measured ? `${measured.name} ${of(measured.done, measured.of)}` : (phase ?? NONE);
  };
  const many = (network?.of ?? 1) > 1;
  return [
    status.state,
    status.path,
    network === null ? NONE : `${network.name}${many ? ` (${network.index} of ${network.of})` : ''}`,
    phaseOf(),
    of(status.epoch, status.epochs),
    of(status.update, status.updates),
    !running || rate === null ? NONE : `${number(rate)}/s`,
    !running || secondsLeft === null ? NONE : duration(secondsLeft),
    !running || secondsToTrain === null || !many ? NONE : duration(secondsToTrain),
    snapshotAge === null ? 'none' : `${duration(snapshotAge)} ago`,
    process === null || !running ? NONE : `${process.pid} on ${process.host}`,
  ];
}
