import type { Observable } from 'rxjs';
import { expect } from 'vitest';
import { Flow } from '../../../src/flow/flow.js';
import type { FlowState } from '../../../src/flow/state.js';

/** Runs a graph to its rest of that number, stops it there, and runs a second one from its state to the end. */
export async function stoppedAndGoneOn(
  graph: () => Readonly<Record<string, Observable<unknown>>>,
  at: number,
): Promise<void> {
  let rest = -1;
  let saved: FlowState | undefined;
  const broken: Flow = new Flow(graph(), () => {
    if (++rest !== at) return;
    saved = structuredClone(broken.save());
    broken.stop();
  });
  expect(await broken.start()).toBe('stopped');
  const second = new Flow(graph());
  second.load(saved!);
  expect(await second.start()).toBe('done');
}
