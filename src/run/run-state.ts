import type { Data } from '../core/data.js';
import { WeirError } from '../core/errors.js';
import type { FlowState } from '../core/flow.js';
import type { RunFolder } from './folder.js';
import type { Found, SnapshotStore } from './snapshot/store.js';

/** The name under which the last snapshot of a network is kept. */
export const done = 'done';

/** What a snapshot of a run holds. */
export type RunState = {
  readonly flow: FlowState;
  /** Bytes of the metric log that belong to it. */
  readonly logged: number;
  readonly update: number;
  readonly seconds: number;
};

/** A snapshot as the state of a run. @throws {WeirError} when it holds something else. */
export function runState(found: Found): RunState {
  if (isRunState(found.data)) return found.data;
  throw new WeirError(`${found.path} is not a snapshot of a run`, 'it is whole, but holds something else: remove it');
}

const isRecord = (data: Data): data is { readonly [key: string]: Data } =>
  typeof data === 'object' && data !== null && !Array.isArray(data) && !ArrayBuffer.isView(data);

function isRunState(data: Data): data is RunState {
  if (!isRecord(data) || !isRecord(data.flow) || !isRecord(data.flow.nodes)) return false;
  const { logged, update, seconds } = data;
  if (![logged, update, seconds].every((value) => typeof value === 'number')) return false;
  return Object.values(data.flow.nodes).every(
    (node) => isRecord(node) && typeof node.position === 'number' && typeof node.handled === 'number',
  );
}

/** The newest whole snapshot of a network; refused ones are told of. */
export function readState(
  store: SnapshotStore,
  warn: (message: string) => void,
): { readonly state: RunState; readonly done: boolean } | undefined {
  const found = store.newest();
  if (found === undefined) return undefined;
  for (const refused of found.refused) warn(`${refused.message}; using ${found.path} instead`);
  return { state: runState(found), done: found.path.endsWith(`-${done}.snapshot`) };
}

/** The last state of a network of a run that is done. */
export function trained(run: RunFolder, network: string): RunState {
  const found = readState(run.snapshots(network), () => undefined);
  if (found?.done) return found.state;
  throw new WeirError(
    `network '${network}' of ${run.shown} is not trained to the end`,
    `finish it with \`weir resume ${run.shown}\``,
  );
}
