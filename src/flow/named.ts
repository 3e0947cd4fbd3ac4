import { Observable, type OperatorFunction } from 'rxjs';
import { Flow } from './flow.js';

/**
 * The same operator under another name: in the graph, in snapshots and to taps. For when a graph has two of a kind.
 *
 * @example named('readout attack', tangentAttack(model, test, { samples: 100, seed }))
 */
export function named<In, Out>(name: string, operator: OperatorFunction<In, Out>): OperatorFunction<In, Out> {
  return (source) => {
    const stream = operator(source);
    return new Observable<Out>((subscriber) => Flow.naming(name, () => stream.subscribe(subscriber)));
  };
}
