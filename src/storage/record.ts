import { WeirError } from '../flow/errors.js';
import type { Flow } from '../flow/flow.js';
import { listen } from '../flow/listen.js';
import { plainCopy } from '../flow/plain.js';
import { RecordingWriter } from './core-recording-writer.js';

export interface RecordOptions {
  readonly pipeline: string;
  /** Items after which the recording is complete. */
  readonly items: number;
  /** Called when it is. */
  readonly complete: () => void;
}

/**
 * Records what leaves a node, every item of it, from now on: it takes part in the demand, for it writes before the item goes on.
 *
 * Of each item the plain data is kept (no tensors, no functions).
 *
 * @returns what ends the recording early.
 * @throws {WeirError} when the graph has no node of that name.
 */
export function recordEdge(flow: Flow, edge: string, file: string, options: RecordOptions): () => void {
  const node = flow.nodes.find(({ name }) => name === edge);
  if (node === undefined) {
    const known = flow.nodes.filter(({ kind }) => kind !== 'sink').map(({ name }) => `'${name}'`);
    throw new WeirError(`the graph has no edge after '${edge}'`, `record one of ${known.join(', ')}`);
  }
  const createdAt = new Date().toISOString();
  flow.introduce();
  const about = { edge, pipeline: options.pipeline, createdAt, headers: node.headers };
  const recording = RecordingWriter.create(file, about);
  const begun = performance.now();
  let left = options.items;
  let open = true;
  const end = (): void => {
    if (open) recording.end();
    open = false;
    leave();
  };
  const leave = listen(node, (item, position) => {
    if (!open) return;
    recording.append(position, performance.now() - begun, plainCopy(item));
    if (--left > 0) return;
    end();
    options.complete();
  });
  return end;
}
