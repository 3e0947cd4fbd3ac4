import { EMPTY } from 'rxjs';
import { expect, test } from 'vitest';
import { stage } from '../../src/flow/core-stage.js';
import { Flow } from '../../src/flow/flow.js';
import type { Positioned } from '../../src/flow/item.js';
import { named } from '../../src/flow/named.js';
import { source } from '../../src/flow/source.js';

const half = () =>
  stage<Positioned, Positioned, null>({ name: 'half', start: () => null, next: (_, item) => [null, item] });
const source$ = source<Positioned>({ name: 'one', *from() {} });

test('of two parts of a kind one is given another name, and what stands before it keeps its own', () => {
  const flow = new Flow({ a$: source$.pipe(half(), named('second half', half())) });
  expect(flow.nodes.map(({ name }) => name)).toEqual(['a$', 'second half', 'half', 'one']);
  flow.close();
  expect(() => new Flow({ a$: EMPTY.pipe(half(), half()) })).toThrow("two parts of the graph are called 'half'");
});
