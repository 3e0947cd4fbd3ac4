import { EMPTY } from 'rxjs';
import { expect, test } from 'vitest';
import { Flow } from '../../src/core/flow.js';
import type { Positioned } from '../../src/core/item.js';
import { named } from '../../src/core/named.js';
import { source } from '../../src/core/source.js';
import { stage } from '../../src/core/stage.js';

const half = () =>
  stage<Positioned, Positioned, null>({ name: 'half', start: () => null, next: (_, item) => [null, item] });
const source$ = source<Positioned>({ name: 'one', *from() {} });

test('of two parts of a kind one is given another name, and what stands before it keeps its own', () => {
  const flow = new Flow({ a$: source$.pipe(half(), named('second half', half())) });
  expect(flow.nodes.map(({ name }) => name)).toEqual(['a$', 'second half', 'half', 'one']);
  flow.close();
  expect(() => new Flow({ a$: EMPTY.pipe(half(), half()) })).toThrow("two parts of the graph are called 'half'");
});
