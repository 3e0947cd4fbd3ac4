import type { WeightSource } from '../learn/weights/weight-source.js';
import { RunFolder } from '../storage/folder.js';
import { type Choice, weightsOfRun } from './of-run.js';

/**
 * The last weights of a network that a run trained to the end, straight from its snapshot: the same as of its export. Tensors go by
 * their names here, such as 'stage1/block1/conv1/kernel' and 'projector1/kernel'.
 *
 * They are read when training begins, and the first snapshot of that training holds them: after it the other run is not needed.
 *
 * @param run its folder @param network which of its networks, by default its only one @param readout 'trained' for the network's own
 * where one was fitted anew, which else is taken; one that a network with a projection head was given only where it is named
 * @throws {WeirError} when they are read: where there is no such run, several networks and none named, one without weights of its own,
 * or one that is not trained to the end
 * @example startingFrom(model, fromRun(config.from, { network: 'rep-spectral' }), { fresh: ['readout'], drop: ['projector'] })
 */
export function fromRun(run: string, { network, readout }: Pick<Choice, 'network' | 'readout'> = {}): WeightSource {
  return {
    shown: network === undefined ? run : `network '${network}' of ${run}`,
    read() {
      const { weights, more, about } = weightsOfRun(RunFolder.open(run), { network, readout, finished: true });
      const all = readout === undefined ? weights : [...weights, ...more]; // what is asked for is wanted
      return { tensors: new Map(all.map(({ name, shape, values }) => [name, { shape, values }])), about };
    },
    namesOf: (weight) => [weight],
    laidOut: (tensor) => tensor,
  };
}
