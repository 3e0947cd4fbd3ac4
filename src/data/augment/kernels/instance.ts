import { readFileSync } from 'node:fs';

/** A module's memory as WebAssembly gives it. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** A kernel of `assembly/index.ts`, which says what each takes: addresses, lengths in bytes, and counts. */
type Kernel = (...numbers: readonly number[]) => void;

interface KernelExports {
  readonly memory: WasmMemory;
  readonly blurDown: Kernel;
  readonly blurAlong: Kernel;
  readonly blendGray: Kernel;
  readonly sumGray: Kernel;
  readonly turnHue: Kernel;
  readonly lookUpBytes: Kernel;
  readonly lookUpFloats: Kernel;
  readonly mirrorRows: Kernel;
  readonly enlargeAcross: Kernel;
  readonly resampleAcross: Kernel;
  readonly resampleDown: Kernel;
}

const PAGE = 65536;

/** Bytes that kernels may read and write behind, and before, those that count. */
export const SPARE = 64;

/**
 * One op's view of the memory that all kernels of a thread share. An op finds there what it laid down in the same call, no more.
 *
 * Arrays over the memory are kept for the next call: to make one takes as long as to copy a small image.
 */
class KernelMemory {
  private bytes = new Uint8Array(0);
  private result = new Uint8Array(0);

  constructor(private readonly memory: WasmMemory) {}

  /** All of the memory, at least `length` bytes; valid until more is asked for. */
  whole(length: number): Uint8Array<ArrayBuffer> {
    const { memory } = this;
    if (this.bytes.length < length) {
      const missing = length - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
      this.bytes = new Uint8Array(memory.buffer);
    }
    return this.bytes;
  }

  /** Copies values to `from`, lets `change` write as many at `to`, and copies those back. */
  through(from: number, values: Uint8Array, length: number, change: (to: number) => void): void {
    const to = (from + length + 2 * SPARE) & -SPARE;
    const whole = this.whole(to + length + SPARE);
    whole.set(values.length === length ? values : values.subarray(0, length), from);
    change(to);
    // an array over memory that has grown since is empty
    if (this.result.length !== length || this.result.byteOffset !== to) this.result = whole.subarray(to, to + length);
    values.set(this.result);
  }
}

/** The part of WebAssembly that is used: TypeScript's types have it for browsers alone. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: KernelExports };
  };
};

/** The kernels, and one op's view of their memory. */
export type Kernels = Omit<KernelExports, 'memory'> & { readonly memory: KernelMemory };

let instance: KernelExports | null | undefined;

/** Compiled at the first call in a thread; null where the engine has no vectors (SIMD). */
function instantiate(): KernelExports | null {
  if (instance !== undefined) return instance;
  const bytes = readFileSync(new URL('./kernels.wasm', import.meta.url));
  try {
    instance = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  } catch {
    instance = null;
  }
  return instance;
}

/** A function that gives an op the kernels, or null where it must do without: one call an op, when its module loads. */
export function kernelsForOp(): () => Kernels | null {
  let kernels: Kernels | null | undefined;
  return () => {
    if (kernels === undefined) {
      const started = instantiate();
      kernels = started && { ...started, memory: new KernelMemory(started.memory) };
    }
    return kernels;
  };
}
