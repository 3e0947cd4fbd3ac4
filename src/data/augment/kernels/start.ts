import { KernelMemory, type Memory } from './room.js';

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
