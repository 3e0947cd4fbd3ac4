import type * as tfjs from '@tensorflow/tfjs-node-gpu';
import { WeirError } from '../flow/errors.js';
import { checkOptions } from '../flow/options.js';
import { openRuntime, type Runtime, type RuntimeChoice, type TensorFlow } from './runtime.js';

export type { Runtime, RuntimeChoice };

let library: TensorFlow | undefined;

/**
 * TensorFlow.js, after `await loadTensorFlow()` has chosen its runtime.
 *
 * A live binding: before that the name is a stand-in that refuses every use, and afterwards the library itself. A module that took
 * the stand-in out of a namespace (`const { tf } = weir`) has the library through it.
 *
 * Losses, optimizers, regularizers and layers of your own take their operations from here: tensors of a second TensorFlow.js are of no use to
 * them. A tensor belongs to whoever made it, and goes by `dispose` or at the end of a `tf.tidy`.
 *
 * @throws {WeirError} at a use before it is loaded
 * @example const norm = (weight: tf.Tensor): number => tf.tidy(() => tf.norm(weight).dataSync()[0]!);
 */
// biome-ignore lint/style/useConst: assigned by loadTensorFlow, which the rule does not see past the namespace below
export let tf: TensorFlow = new Proxy({} as TensorFlow, {
  get(_, key) {
    if (library !== undefined) return Reflect.get(library, key);
    throw new WeirError(
      `TensorFlow was used (tf.${String(key)}) before it was loaded`,
      'await loadTensorFlow() first: commands and pipelines do it on their own',
    );
  },
});

/** The types of TensorFlow.js in Weir's signatures, under the same name as its values. */
export declare namespace tf {
  type Rank = tfjs.Rank;
  type Tensor<R extends tfjs.Rank = tfjs.Rank> = tfjs.Tensor<R>;
  type Scalar = tfjs.Scalar;
  type Tensor1D = tfjs.Tensor1D;
  type Tensor2D = tfjs.Tensor2D;
  type Tensor3D = tfjs.Tensor3D;
  type Tensor4D = tfjs.Tensor4D;
  type Variable<R extends tfjs.Rank = tfjs.Rank> = tfjs.Variable<R>;
  type DataType = tfjs.DataType;
  type TensorLike = tfjs.TensorLike;
  type TensorContainer = tfjs.TensorContainer;
  type NamedTensorMap = tfjs.NamedTensorMap;
  type GradSaveFunc = tfjs.GradSaveFunc;
}

let loading: Promise<Runtime> | undefined;
let loaded: Runtime | undefined;

/**
 * Puts a TensorFlow runtime behind `tf`, setting the native one up first where that has not been done.
 *
 * The first call decides; later ones get the same runtime, and one that asks for another kind is refused.
 * `WEIR_RUNTIME` is the default of `runtime`, `WEIR_THREADS` the number of threads inside one operation.
 *
 * @example const { kind, device, threads } = await loadTensorFlow({ runtime: 'cpu' });
 */
export async function loadTensorFlow(options: RuntimeChoice = {}): Promise<Runtime> {
  checkOptions('loadTensorFlow', options, { runtime: 'optional', progress: 'optional' });
  loading ??= openRuntime(options).then(([opened, runtime]) => {
    tf = opened;
    library = opened;
    loaded = runtime;
    return runtime;
  });
  let runtime: Runtime;
  try {
    runtime = await loading;
  } catch (error) {
    loading = undefined; // the next call may succeed
    throw error;
  }
  refuseAnother(options.runtime, runtime);
  return runtime;
}

/** One process has one runtime: tensors of two do not mix. */
function refuseAnother(asked: RuntimeChoice['runtime'] = 'auto', { kind, device }: Runtime): void {
  const is = kind === 'wasm' ? 'wasm' : device === 'GPU' ? 'gpu' : 'cpu';
  if (asked === 'auto' || asked === is) return;
  const name = kind === 'wasm' ? 'WebAssembly' : `native TensorFlow on the ${device}`;
  throw new WeirError(
    `the runtime '${asked}' was asked for, but ${name} is loaded in this process already`,
    'ask for it in the first call, with WEIR_RUNTIME, or in a process of its own',
  );
}

/** The runtime in use, where one is loaded. */
export const loadedRuntime = (): Runtime | undefined => loaded;

/** The runtime in use, once loaded. */
export function runtime(): Runtime {
  if (loaded === undefined) throw new WeirError('no TensorFlow runtime is loaded', 'await loadTensorFlow() first');
  return loaded;
}

/** Runs `work` and disposes of the tensors it made: `tf.tidy` for a result that is no tensor, whose arrays tidy would search. */
export function scoped<T>(work: () => T): T {
  const scope = tf.engine();
  scope.startScope();
  try {
    return work();
  } finally {
    scope.endScope();
  }
}
