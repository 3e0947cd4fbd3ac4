import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layerNormsRecord } from '../../src/learn/spectral/stages.js';
import { updateRecord } from '../../src/learn/update.js';
import { accuracyRecord } from '../../src/measure/accuracy/accuracy.js';
import { attackRecord } from '../../src/measure/attack/record.js';
import { networkRecord } from '../../src/run/pipeline.js';
import type { MetricRecord } from '../../src/storage/metric-reader.js';

export const createdAt = '2026-01-01T00:00:00.000Z';
export const begun = Date.parse(createdAt) / 1000;
const gray = (at: number): { float32: string } => ({
  float32: Buffer.from(Float32Array.from({ length: 4 }, (_, i) => (i === at ? 1 : 0.25)).buffer).toString('base64'),
});

/** The log of two small networks. */
export const records: readonly MetricRecord[] = ['none', 'rep-spectral'].flatMap((network, n): MetricRecord[] => [
  {
    ...{
      network,
      stream: 'network',
      name: network,
      regularizer: network,
      seed: 3,
      sampleShape: [2, 2],
      classes: ['a', 'b'],
    },
    wall: { seconds: 0 },
  },
  ...[0, 1, 2].flatMap((number): MetricRecord[] => [
    {
      number,
      epoch: number,
      endsEpoch: true,
      position: 8 * number,
      loss: 1 / (number + 1 + n),
      epochLoss: null,
      network,
      stream: 'updates',
      wall: { seconds: number },
    },
    {
      number,
      epoch: number,
      position: 8 * number,
      sigma: { hidden1: number + n, readout: 2 },
      network,
      stream: 'sigmas',
      wall: { seconds: number },
    },
  ]),
  {
    number: 2,
    epoch: 2,
    position: 16,
    accuracy: 0.5 + n / 4,
    loss: 0.7,
    network,
    stream: 'tests',
    wall: { seconds: 2.5 },
  },
  ...[0, 1, 2].map(
    (i): MetricRecord => ({
      ...{
        number: 2,
        epoch: 2,
        position: 16,
        index: 10 + i,
        label: 1,
        predicted: 1,
        adversarialLabel: 0,
        outcome: 'found',
      },
      ...{ distance: i + n, ...(i < 2 && { original: gray(0), adversarial: gray(3) }), network, stream: 'attacks' },
      wall: { seconds: 3 + i },
    }),
  ),
]);

/** The schemas of its streams. */
export const streams = {
  network: networkRecord.description,
  updates: updateRecord.description,
  sigmas: layerNormsRecord.description,
  tests: accuracyRecord.description,
  attacks: attackRecord('Tangent Attack').description,
};

/** A folder that looks like a run's: config and log, no snapshots. */
export function madeUpRun(folder: string, log: readonly MetricRecord[] = records): string {
  mkdirSync(folder, { recursive: true });
  const started = {
    ...{ format: 4, weir: '0.1.0', module: 'none.ts', pipeline: 'made-up', seed: 3, createdAt },
    config: { rate: 0.1, protocol: 'paper', hidden: [4, 5], fast: true },
    networks: [{ name: 'none' }, { name: 'rep-spectral' }],
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(started));
  writeFileSync(join(folder, 'streams.json'), JSON.stringify(streams));
  writeFileSync(join(folder, 'metrics.ndjson'), log.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return folder;
}
