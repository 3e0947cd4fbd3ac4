import type { Data, TypedArray } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Flow } from '../flow/flow.js';
import { userNodes } from '../flow/graph.js';
import { listen } from '../flow/node.js';
import { Tap, type TapPolicy } from '../flow/tap.js';
import { arrayOf, bytesOf, type Dtype, dtypeOf, dtypes } from '../storage/codec.js';
import type { TapItem, TapRequest, ToThread } from './messages.js';

interface Open {
  readonly request: TapRequest;
  readonly tap: Tap;
  readonly begun: number;
  leave: () => void;
  /** Lets the reader take the next item. */
  next: (() => void) | undefined;
}

/**
 * Taps that somebody outside asked for, on the edges of whatever flow is running: they go over from one network to the next.
 *
 * Bound: one item under way for each tap, and what its policy keeps. A reader that is slow or stuck costs the run a count of
 * what was dropped, nothing else; the copy of an item is made when it is its turn.
 */
export class OutsideTaps {
  private readonly open = new Map<number, Open>();
  private flow: Flow | undefined;
  private droppedBefore = 0; // by taps that are closed

  constructor(private readonly post: (message: ToThread) => void) {}

  get counts(): { readonly open: number; readonly dropped: number } {
    const dropped = [...this.open.values()].reduce((sum, { tap }) => sum + tap.dropped, this.droppedBefore);
    return { open: this.open.size, dropped };
  }

  /** Taps the edges of this flow from now on. */
  follow(flow: Flow): void {
    this.flow = flow;
    for (const [id, one] of this.open) {
      one.leave();
      if (!this.attach(one)) this.close(id);
    }
  }

  add(id: number, request: TapRequest): void {
    const { flow } = this;
    const known = (flow === undefined ? [] : userNodes(flow))
      .filter(({ kind }) => kind !== 'sink')
      .map(({ name }) => name);
    if (!known.includes(request.edge)) {
      const message =
        flow === undefined ? 'no network of the run is under way yet' : `the graph has no edge after '${request.edge}'`;
      const remedy =
        flow === undefined ? 'ask again in a moment' : `tap one of ${known.map((name) => `'${name}'`).join(', ')}`;
      this.post({ type: 'tapped', tap: id, refused: { message, remedy } });
      return;
    }
    const begun = performance.now();
    const tap = new Tap(request.edge, request.policy, (data) =>
      this.read(id, data as unknown as Omit<TapItem, 'dropped'>),
    );
    const one: Open = { request, tap, begun, leave: () => undefined, next: undefined };
    this.open.set(id, one);
    this.attach(one);
    this.post({ type: 'tapped', tap: id });
  }

  /** The item that was under way has been written. */
  ack(id: number): void {
    this.open.get(id)?.next?.();
  }

  close(id: number): void {
    const one = this.open.get(id);
    if (one === undefined) return;
    this.open.delete(id);
    one.leave();
    const { seen, dropped } = one.tap;
    this.droppedBefore += dropped;
    this.post({ type: 'untapped', tap: id, seen, dropped });
    one.next?.();
  }

  closeAll(): void {
    for (const id of [...this.open.keys()]) this.close(id);
  }

  private attach(one: Open): boolean {
    const node = this.flow?.nodes.find(({ name }) => name === one.request.edge);
    if (node === undefined) return false;
    one.leave = listen(node, (item, position) => one.tap.see({ position, time: performance.now() - one.begun, item }));
    return true;
  }

  /** Hands one item over; done when it was written and the rate allows another. */
  private read(id: number, item: Omit<TapItem, 'dropped'>): Promise<void> {
    const one = this.open.get(id);
    if (one === undefined) return Promise.resolve();
    const given = performance.now();
    this.post({ type: 'item', tap: id, item: { ...item, dropped: one.tap.dropped } });
    return new Promise((resolve) => {
      one.next = () => {
        one.next = undefined;
        const { rate } = one.request;
        const wait = rate === undefined ? 0 : 1000 / rate - (performance.now() - given);
        if (wait > 0 && this.open.has(id)) setTimeout(resolve, wait).unref();
        else resolve();
      };
    });
  }
}

/** What the address of a tap asks for. @returns words where it asks for something that there is not */
export function tapRequest(
  query: URLSearchParams,
): { readonly request: TapRequest; readonly arrays: ArraysAs } | string {
  const edge = query.get('edge') ?? '';
  const arrays = query.get('arrays') ?? 'summary';
  if (edge === '' || edge.length > 200) return 'a tap needs the name of an edge';
  if (arrays !== 'summary' && arrays !== 'base64') return `arrays are given as summary or base64, not as '${arrays}'`;
  const policy = policyOf(query.get('policy') ?? 'latest');
  if (policy === undefined) return 'a policy is latest, sample:EVERY or buffer:SIZE, from 1 to 10000';
  const rate = query.get('rate');
  if (rate !== null && !(Number(rate) > 0 && Number(rate) <= 1e6))
    return 'a rate is a number of items a second above 0';
  return { request: { edge, policy, ...(rate !== null && { rate: Number(rate) }) }, arrays };
}

/** `latest`, `sample:10` or `buffer:64`; undefined where it is none of them. */
export function policyOf(text: string): TapPolicy | undefined {
  if (text === 'latest') return { keep: 'latest' };
  const [, keep, digits] = /^(sample|buffer):(\d{1,5})$/.exec(text) ?? [];
  const count = Number(digits);
  if (!(count >= 1 && count <= 10_000)) return undefined;
  return keep === 'sample' ? { keep, every: count } : { keep: 'buffer', size: count };
}

/** How arrays of an item are printed: how long they are and how they begin, or all of it. */
export type ArraysAs = 'summary' | 'base64';

const shown = 8; // values of an array's beginning
const marker = '$'; // the key of what JSON has no word for

/**
 * Plain data as JSON has it. Arrays of numbers are summed up (`{ "Float32Array": 784, "start": […] }`, for readers) or given
 * whole as base64 (for `fromWire`, which gives all of it back, NaN, the infinities and `undefined` included).
 */
export function toWire(data: Data, arrays: ArraysAs): unknown {
  if (ArrayBuffer.isView(data)) return arrays === 'summary' ? summary(data as TypedArray) : whole(data as TypedArray);
  if (typeof data === 'number' && !isInJson(data))
    return arrays === 'summary'
      ? String(data)
      : { [marker]: 'number', value: Object.is(data, -0) ? '-0' : String(data) };
  if (data === undefined) return arrays === 'summary' ? undefined : { [marker]: 'undefined' };
  if (typeof data !== 'object' || data === null) return data;
  if (Array.isArray(data)) return data.map((one) => toWire(one as Data, arrays));
  const entries = Object.entries(data as Record<string, Data>).map(
    ([key, value]) => [key, toWire(value, arrays)] as const,
  );
  if (arrays === 'base64' && Object.hasOwn(data, marker)) return { [marker]: 'record', entries };
  return Object.fromEntries(entries);
}

/** What `toWire(…, 'base64')` made, as it was. @throws {WeirError} where it is something else */
export function fromWire(json: unknown): Data {
  if (typeof json !== 'object' || json === null) return json as Data;
  if (Array.isArray(json)) return json.map(fromWire);
  const record = json as Record<string, unknown>;
  if (!Object.hasOwn(record, marker))
    return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fromWire(value)]));
  if (record[marker] === 'undefined') return undefined;
  if (record[marker] === 'number') return Number(record.value);
  if (record[marker] === 'record') {
    return Object.fromEntries((record.entries as [string, unknown][]).map(([key, value]) => [key, fromWire(value)]));
  }
  return arrayFrom(record);
}

const isInJson = (number: number): boolean => Number.isFinite(number) && !Object.is(number, -0);

function summary(array: TypedArray): unknown {
  const start = Array.from(array.subarray(0, shown) as ArrayLike<number | bigint>, Number);
  return { [array.constructor.name]: array.length, start };
}

const whole = (array: TypedArray): unknown => {
  const bytes = bytesOf(array);
  return {
    [marker]: dtypeOf(array),
    base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  };
};

function arrayFrom(record: Record<string, unknown>): Data {
  const dtype = record[marker] as Dtype;
  if (dtypes.includes(dtype)) return arrayOf(dtype, new Uint8Array(Buffer.from(String(record.base64), 'base64')));
  throw new WeirError(
    `a tap gave something unknown: '${String(dtype)}'`,
    'use the same Weir for the tap as for the run',
  );
}
