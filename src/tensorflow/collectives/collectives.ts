import { WeirError } from '../../flow/errors.js';
import { tf } from '../device-tf.js';
import { attribute, execute } from '../ops/device-eager.js';
import type { Rendezvous } from './protocol.js';
import type { ProcessGroup } from './ranks.js';

/** What the other ranks were waited for, and one of them was not there any more. The run stops, and can be resumed. */
export class LostRank extends WeirError {
  override name = 'LostRank';
}

const turns = 4;

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
   * Calls of one kind and length take turns with a few keys, numbered as they first come up: all ranks make the same calls in the same
   * order. A rank may begin a call while another is still in the one before, and what they send goes by the key: so they have not the same.
   * A key of its own for every call would be kept for ever.
   */
  const keyOf = (kind: string, length: number): number => {
    const name = `${kind} ${length}`;
    const { first, calls } = keys.get(name) ?? { first: 1 + turns * keys.size, calls: 0 };
    keys.set(name, { first, calls: calls + 1 });
    return first + (calls % turns);
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
        `rank ${rank} waited for the others, and one was lost: ${reason(error)}`,
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
    ...{ rank, ranks, synchronized },
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
