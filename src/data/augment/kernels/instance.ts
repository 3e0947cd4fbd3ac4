/** A module's memory as WebAssembly gives it. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const PAGE = 65536;

/** Bytes that kernels may read and write behind those that count. */
export const SPARE = 64;

/** A module's memory. What is made to look at it is kept for the next call: to make it anew takes as long as a small image's copy. */
export class KernelMemory {
  private bytes = new Uint8Array(0);
  private result = new Uint8Array(0);

  constructor(private readonly memory: Memory) {}

  /** All of it, at least `length` bytes; good until more is asked for. */
  whole(length: number): Uint8Array<ArrayBuffer> {
    const { memory } = this;
    if (this.bytes.length < length) {
      const missing = length - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
      this.bytes = new Uint8Array(memory.buffer);
    }
    return this.bytes;
  }

  /** Lays bytes down at `from`, lets kernels make others at `to`, and takes those. */
  through(from: number, values: Uint8Array, length: number, change: (to: number) => void): void {
    const to = (from + length + 2 * SPARE) & -SPARE;
    const whole = this.whole(to + length + SPARE);
    whole.set(values.length === length ? values : values.subarray(0, length), from);
    change(to);
    // one that the memory has outgrown is empty
    if (this.result.length !== length || this.result.byteOffset !== to) this.result = whole.subarray(to, to + length);
    values.set(this.result);
  }
}

/** As much of WebAssembly as is used: TypeScript knows it in browsers alone. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: { readonly memory: Memory } };
  };
};

/** What gives a module's kernels and its memory, started at the first call, once a thread; null where vectors are not to be had. */
export function starter<Kernels>(bytes: () => Uint8Array): () => (Kernels & { readonly room: KernelMemory }) | null {
  let started: (Kernels & { readonly room: KernelMemory }) | null | undefined;
  return () => {
    if (started === undefined) {
      try {
        const { memory, ...kernels } = new WebAssembly.Instance(new WebAssembly.Module(bytes())).exports;
        started = { ...(kernels as Kernels), room: new KernelMemory(memory) };
      } catch {
        started = null;
      }
    }
    return started;
  };
}
