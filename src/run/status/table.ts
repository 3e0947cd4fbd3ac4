import pc from 'picocolors';
import { count, duration } from '../../observe/report/format.js';
import type { State, Status } from './status.js';

const paint: Readonly<Record<State, (text: string) => string>> = {
  ...{ running: pc.green, elsewhere: pc.green, stopped: pc.yellow, killed: pc.red, done: pc.dim },
};

const heads = ['state', 'pipeline', 'network', 'epoch', 'update', 'left', 'snapshot', 'process', 'run'];

/** Runs as aligned lines, a run a line; a word where there is none. */
export function statusTable(all: readonly Status[]): string[] {
  if (all.length === 0) return ['no runs'];
  const rows = all.map(cells);
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string[] => row.map((cell, i) => cell.padEnd(widths[i]!));
  return [
    pc.dim(line(heads).join('  ').trimEnd()),
    ...rows.map((row, i) => {
      const [state, ...rest] = line(row);
      return [paint[all[i]!.state](state!), ...rest].join('  ').trimEnd();
    }),
  ];
}

function cells(status: Status): string[] {
  const { network, process, snapshotAge, secondsLeft } = status;
  const running = status.state === 'running' || status.state === 'elsewhere';
  const of = (value: number | null, whole: number | null): string =>
    value === null ? '–' : `${count(value)}${whole === null ? '' : `/${count(whole)}`}`;
  return [
    status.state,
    status.pipeline,
    network === null ? '–' : `${network.name}${network.of > 1 ? ` (${network.index} of ${network.of})` : ''}`,
    of(status.epoch, status.epochs),
    of(status.update, null),
    !running || secondsLeft === null ? '–' : duration(secondsLeft),
    snapshotAge === null ? 'none' : `${duration(snapshotAge)} ago`,
    process === null || !running ? '–' : `${process.pid} on ${process.host}`,
    status.path,
  ];
}
