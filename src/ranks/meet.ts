import { hostname } from 'node:os';
import { version } from '../storage/version.js';
import { joinRendezvous } from './come.js';
import type { ProcessGroup } from './met.js';
import type { LocalRanks, RendezvousAddress } from './place.js';
import type { Hello } from './ranks-messages.js';
import { hostRendezvous } from './receive.js';

/**
 * Brings the supervisors of all ranks together, each rank on a machine of its own or not. Their lines stay open: by them each hears how
 * the others are.
 *
 * @param port where this rank is to listen for TensorFlow's gRPC
 * @param seconds how long to wait for the others
 * @throws {WeirError} names a rank that does not come or does not fit, a port in use, and a host that does not resolve
 */
export function rendezvous(
  { ranks, own }: LocalRanks,
  hub: RendezvousAddress,
  port: number,
  seconds: number,
): Promise<ProcessGroup> {
  const hello: Hello = { rank: own[0]!, ranks, weir: version, host: hostname(), port };
  return hello.rank === 0 ? hostRendezvous(hello, hub, seconds) : joinRendezvous(hello, hub, seconds);
}
