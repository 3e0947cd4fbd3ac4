import { WeirError } from '../../flow/errors.js';
import type { Rendezvous } from './protocol.js';

/** What a supervisor tells the process of a rank: its number, and where all ranks listen. */
export const rankVariable = 'WEIR_RANK_OF_THIS';
export const addressesVariable = 'WEIR_RANK_ADDRESSES';
export const synchronizedVariable = 'WEIR_RANK_BATCH_NORM';

/** The cluster that this process was started for a rank of; none where it was not. */
export function rendezvousOf(env: NodeJS.ProcessEnv): Rendezvous | undefined {
  const { [rankVariable]: rank, [addressesVariable]: list } = env;
  if (!rank || !list) return undefined;
  const addresses = list.split(',');
  const odd = addresses.find((address) => !/^.+:\d{1,5}$/.test(address));
  if (odd === undefined && /^\d+$/.test(rank) && Number(rank) < addresses.length) {
    return { rank: Number(rank), addresses, synchronized: env[synchronizedVariable] === 'synchronized' };
  }
  throw new WeirError(
    `${rankVariable}='${rank}' and ${addressesVariable}='${list}' are no place among ranks`,
    'they are set by `weir run … --ranks N`: leave them to it',
  );
}
