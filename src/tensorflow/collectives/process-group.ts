import { WeirError } from '../../flow/errors.js';
import { attribute, execute } from '../ops/eager.js';
import { loadedRuntime, tf } from '../tf.js';
import type { Rendezvous } from './rendezvous.js';

/**
 * The ranks that train one network, each on its share of every batch. All of them run the same graph, and make the same calls here in
 * the same order.
 */
export interface ProcessGroup {
  readonly rank: number;
  readonly ranks: number;
  /** Whether batch normalizations are over the shares of all ranks, rather than each rank's by itself. */
  readonly synchronized: boolean;
  /** The sum over all ranks, float32 [n]; the same bits on each. The caller owns it. @throws {LostRank} */
  sum(x: tf.Tensor1D): tf.Tensor1D;
  /** The tensors of all ranks, float32 [ranks, n]: each gives n numbers. The caller owns it. @throws {LostRank} */
  collect(x: tf.Tensor1D): tf.Tensor2D;
  /** The same of bytes, of any number each. @throws {LostRank} */
  gather(bytes: Uint8Array): Uint8Array[];
  /** Milliseconds inside these calls so far, waiting for others included. */
  readonly spent: number;
  /** Called with the number of each collective before it waits: a supervisor then knows which rank is late. */
  onCall?: (calls: number) => void;
}

/** A collective failed because a rank of the group ended. The run stops, and can be resumed. */
export class LostRank extends WeirError {
  override name = 'LostRank';
}

const keysOfKind = 4;

/**
 * Ranks that are joined by TensorFlow's collectives: gRPC between hosts, NCCL between GPUs. Every call blocks until all ranks have
 * made the same one; a rank that ends fails those that wait for it, one that hangs does not (the supervisor ends them then, see
 * run/ranks: a timeout of the operation itself would leave a sleeping thread behind for every call).
 */
export function collectives({ rank, addresses, synchronized }: Rendezvous, hint: 'auto' | 'nccl'): ProcessGroup {
  const ranks = addresses.length;
  const keys = new Map<string, { readonly first: number; readonly calls: number }>();
  let spent = 0;
  let calls = 0;

  /**
   * Calls of one kind and length rotate through a few keys, numbered in the order of first use, which is the same on all ranks. A rank may
   * begin a call while another is in the one before; messages go by key, so two such calls must not share one. TensorFlow keeps every key
   * for ever, so each call cannot have its own.
   */
  const keyOf = (kind: string, length: number): number => {
    const name = `${kind} ${length}`;
    const { first, calls } = keys.get(name) ?? { first: 1 + keysOfKind * keys.size, calls: 0 };
    keys.set(name, { first, calls: calls + 1 });
    return first + (calls % keysOfKind);
  };
  const run = (operation: string, x: tf.Tensor1D, key: number, more: Parameters<typeof execute>[1]): tf.Tensor1D => {
    joined.onCall?.(++calls);
    const begun = performance.now();
    const settings = [ranks, 1, key].map((value) => tf.scalar(value, 'int32'));
    const attributes = [
      attribute.type('T', x.dtype === 'int32' ? 'int32' : 'float32'),
      attribute.string('communication_hint', hint),
      attribute.float('timeout_seconds', 0),
      attribute.int('Nordering_token', 0),
      ...more,
    ];
    try {
      return execute(operation, attributes, [x, ...settings]) as tf.Tensor1D;
    } catch (error) {
      throw new LostRank(
        `rank ${rank} lost another rank in a collective: ${reason(error)}`,
        'go on from the newest snapshot with `weir resume`, all ranks together',
      );
    } finally {
      tf.dispose(settings);
      spent += performance.now() - begun;
    }
  };
  const gather = (x: tf.Tensor1D): tf.Tensor1D =>
    run('CollectiveGatherV2', x, keyOf(`gather ${x.dtype}`, x.size), [attribute.bool('is_stateless', false)]);

  const joined: ProcessGroup = {
    rank,
    ranks,
    synchronized,
    get spent() {
      return spent;
    },
    sum: (x) =>
      run('CollectiveReduceV2', x, keyOf('sum', x.size), [
        attribute.string('merge_op', 'Add'),
        attribute.string('final_op', 'Id'),
        attribute.bool('is_stateless', false),
        attribute.int('max_subdivs_per_device', -1),
      ]),
    collect: (x) => tf.tidy(() => tf.reshape(gather(x), [ranks, x.size])),
    gather(bytes) {
      const lengths = readOf(gather, Int32Array.of(bytes.length));
      const longest = Math.ceil(Math.max(...lengths) / 4);
      if (longest === 0) return Array.from(lengths, () => new Uint8Array(0));
      const padded = new Int32Array(longest);
      new Uint8Array(padded.buffer).set(bytes);
      const all = readOf(gather, padded);
      return Array.from(lengths, (length, i) => new Uint8Array(all.slice(i * longest).buffer, 0, length));
    },
  };
  return joined;
}

function readOf(gather: (x: tf.Tensor1D) => tf.Tensor1D, values: Int32Array): Int32Array {
  return tf.tidy(() => gather(tf.tensor1d(values, 'int32')).dataSync<'int32'>().slice());
}

/** The first line of what TensorFlow says, without its own preamble. */
const reason = (error: unknown): string =>
  String((error as Error)?.message ?? error)
    .split('\n')[0]!
    .replace(/^.*Message: /, '');

/** A process by itself. */
export const singleProcess: ProcessGroup = {
  rank: 0,
  ranks: 1,
  synchronized: false,
  sum: (x) => x.clone(),
  collect: (x) => x.expandDims(0),
  gather: (bytes) => [bytes],
  spent: 0,
};
let joined: ProcessGroup | undefined;

/** The process group of this process, once the runtime is loaded; `singleProcess` where it was not started as one of several. */
export function processGroup(): ProcessGroup {
  if (joined !== undefined) return joined;
  const runtime = loadedRuntime();
  if (runtime === undefined) return singleProcess;
  const { rendezvous, device } = runtime;
  joined = rendezvous === undefined ? singleProcess : collectives(rendezvous, device === 'GPU' ? 'nccl' : 'auto');
  return joined;
}
