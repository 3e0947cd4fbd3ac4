import type { Data } from '../core/data.js';
import { WeirError } from '../core/errors.js';
import type { FlowState } from '../core/flow.js';
import type { Found } from './snapshot/store.js';

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
