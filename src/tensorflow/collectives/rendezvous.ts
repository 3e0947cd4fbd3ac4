import { WeirError } from '../../flow/errors.js';
import { bytes, integer, joined, type ProtobufFields, text } from '../../storage/protobuf.js';

/** The addresses of a process group in the order of its ranks, and the rank of this process. */
export interface Rendezvous {
  /** `host:port` each, where TensorFlow's own gRPC server of that rank listens. */
  readonly addresses: readonly string[];
  readonly rank: number;
  /** Whether batch normalizations are over the shares of all ranks. */
  readonly synchronized: boolean;
}

const job = 'worker';

/**
 * The ServerDef of TensorFlow's distributed runtime (tensorflow/core/protobuf/tensorflow_server.proto): the addresses of the ranks, with
 * rank 0 as the leader, which gives every group of collectives its members in one order on all ranks.
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

const portOf = (address: string): number => Number(/:(\d+)$/.exec(address)?.[1]);

/** Whether an address of a rank is this machine's alone. */
export const isLoopback = (address: string): boolean => /^127\.\d+\.\d+\.\d+:/.test(address);

/** The variables by which a supervisor passes a rank its number, the addresses of all ranks, and the mode of batch normalization. */
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
    `${rankVariable}='${rank}' and ${addressesVariable}='${list}' name no rank of a process group`,
    '`weir run … --ranks N` sets them: leave them unset',
  );
}
