/** As much of WebAssembly as is used: TypeScript knows it in browsers alone. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: object };
  };
};

export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const PAGE = 65536;

/** What gives a module's exports, started at the first call, once a thread; null where vectors are not to be had. */
export function starter<Exports extends object>(bytes: () => Uint8Array): () => Exports | null {
  let started: Exports | null | undefined;
  return () => {
    if (started === undefined) {
      try {
        started = new WebAssembly.Instance(new WebAssembly.Module(bytes())).exports as Exports;
      } catch {
        started = null;
      }
    }
    return started;
  };
}

/** Makes the memory at least that many bytes long; what was made of its buffer before is then of no use. */
export function makeRoom(memory: Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
}
