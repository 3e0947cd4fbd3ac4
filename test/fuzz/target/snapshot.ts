import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack } from '../../../src/storage/codec.js';
import { crc32 } from '../../../src/storage/digest.js';
import { aligned } from '../../../src/storage/file-format.js';
import { readNetworkState } from '../../../src/storage/run-state.js';
import { encode, preambleBytes } from '../../../src/storage/snapshot-format.js';
import { SnapshotStore } from '../../../src/storage/snapshot-store.js';
import type { Target } from '../fuzz.js';

const state = (hidden: number) => ({
  flow: {
    nodes: {
      loader: { position: 256, handled: -1, state: undefined },
      train: {
        ...{ position: 256, handled: 256 },
        state: {
          ...{ number: 2, epoch: 1, endsEpoch: false, loss: -0 },
          weights: { kernel: { shape: [2, hidden], values: new Float32Array(2 * hidden).fill(0.5) } },
          labels: [Uint8Array.of(1, 2, 3), BigInt64Array.of(-1n)],
        },
      },
    },
  },
  ...{ logged: { bytes: 1234, sha256: 'ab' }, update: 2, seconds: 0.5 },
});

const snapshotOf = (data: Parameters<typeof encode>[0]): Buffer => Buffer.concat(encode(data, { update: 2 }));

function mend(bytes: Buffer): void {
  if (bytes.length < preambleBytes) return;
  const [header, table] = [bytes.readUInt32LE(24), bytes.readUInt32LE(28)];
  const end = preambleBytes + aligned(header) + aligned(table);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 16);
  bytes.write(createHash('sha256').update(bytes.subarray(preambleBytes, end)).digest('hex'), 32, 'hex');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 64)), 64);
}

export const snapshot: Target = {
  name: 'snapshot',
  originals: [snapshotOf(state(4)), snapshotOf(state(300)), snapshotOf(pack([1, 'x']) as Uint8Array)],
  mend,
  read(file, bytes) {
    const folder = `${file}-snapshots`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, '000001-2.snapshot'), bytes);
    const { state } = readNetworkState(new SnapshotStore(folder))!;
    return Object.values(state.flow.nodes).reduce((sum, node) => sum + node.position, state.logged.bytes);
  },
};
