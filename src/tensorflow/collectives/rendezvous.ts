import { WeirError } from '../../flow/errors.js';
import { bytes, integer, joined, type ProtobufFields, text } from '../../storage/protobuf.js';

/** The processes that train together, in the order of their ranks, and which of them this one is. */
export interface Rendezvous {
  /** `host:port` each, where TensorFlow's own gRPC server of that rank listens. */
  readonly addresses: readonly string[];
  readonly rank: number;
  /** Whether batch normalizations are over the shares of all ranks. */
  readonly synchronized: boolean;
}

const job = 'worker';

/**
 * What TensorFlow's distributed runtime is told (tensorflow/core/protobuf/tensorflow_server.proto): who the ranks are, and that rank 0
 * leads. The leader gives every group of collectives its members, in one order on all ranks.
 */
export function serverDef({ addresses, rank }: Rendezvous): ProtobufFields {
  const task = (address: string, index: number): ProtobufFields => bytes(2, integer(1, index), text(2, address));
  const clusterDef = bytes(1, bytes(1, text(1, job), ...addresses.map(task)));
  const config = bytes(4, configProto());
  return joined(
    clusterDef,
    text(2, job),
    integer(3, rank),
    config,
    text(5, 'grpc'),
    integer(6, portOf(addresses[rank]!)),
  );
}

/** ConfigProto.experimental.collective_group_leader (tensorflow/core/protobuf/config.proto). */
export const configProto = (): ProtobufFields => bytes(16, text(1, `/job:${job}/replica:0/task:0`));

export const portOf = (address: string): number => Number(/:(\d+)$/.exec(address)?.[1]);

/** Whether an address of a rank is this machine's alone. */
export const isLoopback = (address: string): boolean => /^127\.\d+\.\d+\.\d+:/.test(address);

/** What a supervisor tells the process of a rank: its number, and where all ranks listen. */
export const rankVariable = 'WEIR_RANK_OF_THIS';
export const addressesVariable = 'WEIR_RANK_ADDRESSES';
export const synchronizedVariable = 'WEIR_RANK_BATCH_NORM';

/** The rendezvous of the process group that this process was started for; none where it was not. */
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
