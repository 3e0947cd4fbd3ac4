import type { Observable } from 'rxjs';
import { withShare } from '../../../src/data/loader.js';
import type { Positioned } from '../../../src/flow/data.js';
import { Flow } from '../../../src/flow/flow.js';
import { processGroup } from '../../../src/tensorflow/collectives/process-group.js';
import type { Side } from '../compare.js';

/** A graph that trains, held between rounds where it is at rest; a round is so many updates. */
export function trained(name: string, updates$: Observable<Positioned>, updates: number): Side {
  let resting: () => void = () => undefined;
  let goOn: () => void = () => undefined;
  let rest = new Promise<void>((resolve) => {
    resting = resolve;
  });
  let count = -1; // update 0 comes first
  const atRest = (): undefined | Promise<void> => {
    if (++count % updates !== 0) return undefined;
    resting();
    return new Promise<void>((resolve) => {
      goOn = resolve;
    });
  };
  const flow = withShare(processGroup(), () => new Flow({ updates$ }, atRest));
  const ended = flow.start();
  return {
    name,
    async round() {
      await rest;
      rest = new Promise<void>((resolve) => {
        resting = resolve;
      });
      const begun = performance.now();
      goOn();
      await rest;
      return (performance.now() - begun) / 1000;
    },
    close() {
      flow.stop();
      goOn();
      void ended;
    },
  };
}
