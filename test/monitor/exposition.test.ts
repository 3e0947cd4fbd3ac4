import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { exposition, familiesOf } from '../../src/monitor/exposition.js';
import { readings } from './readings.js';
import { scraped } from './scraped.js';

const open = 'application/openmetrics-text';
const families = familiesOf(readings);

test('a gauge and a counter, in both formats', () => {
  const two = [
    { name: 'a', type: 'gauge', help: 'It is "so" \\ so.\n', samples: [{ labels: {}, value: -0.5 }] },
    { name: 'b', type: 'counter', help: 'B.', samples: [{ labels: { x: '"\\\n', y: 'σ' }, value: 3 }] },
    { name: 'c', type: 'gauge', help: 'Without samples.', samples: [] },
  ] as const;
  expect(exposition(two).text).toBe(
    '# HELP a It is "so" \\\\ so.\\n\n# TYPE a gauge\na -0.5\n# HELP b_total B.\n# TYPE b_total counter\nb_total{x="\\"\\\\\\n",y="σ"} 3\n',
  );
  expect(exposition(two, open).text).toBe(
    '# HELP a It is \\"so\\" \\\\ so.\\n\n# TYPE a gauge\na -0.5\n# HELP b B.\n# TYPE b counter\nb_total{x="\\"\\\\\\n",y="σ"} 3\n# EOF\n',
  );
});

test('all that is known of a run is there, under its name', () => {
  const all = scraped(exposition(families).text);
  const of = (name: string) => all.filter((one) => one.name === `weir_${name}`);
  const run = { run: readings.run };
  expect(all.every(({ labels }) => labels.run === readings.run)).toBe(true);
  expect(of('run_info')).toMatchObject([{ labels: { ...run, pipeline: 'mnist', seed: '7' }, value: 1 }]);
  expect(of('run_state').filter(({ value }) => value === 1)).toMatchObject([{ labels: { state: 'running' } }]);
  expect([of('update'), of('epoch')].flat().map(({ labels, value }) => [labels.network, value])).toEqual([
    ['none', 480],
    ['none', 8],
  ]);
  expect(of('logged_loss').map(({ labels, value }) => [labels.stream, labels.role, value])).toEqual([
    ['updates', 'training', 0.25],
  ]);
  expect(of('logged_epoch_loss').map(({ value }) => value)).toEqual([Number.NaN]);
  expect(of('logged_rate').map(({ value }) => value)).toEqual([1e-7]);
  expect(of('logged_sigma').map(({ labels, value }) => [labels.part, value])).toEqual([
    ['hidden1', Number.POSITIVE_INFINITY],
  ]);
  expect(of('sampled_distance').map(({ labels, value }) => [labels.quantile, value])).toEqual([
    ['0', 1],
    ['0.25', 2],
    ['0.5', 2],
    ['0.75', 3],
    ['1', 3],
  ]);
  expect([of('sampled_distance_sum'), of('sampled_distance_count')].flat().map(({ value }) => value)).toEqual([6, 3]);
  expect(of('sampled_records').map(({ labels, value }) => [labels.field, labels.value, value])).toEqual([
    ['outcome', 'found', 3],
    ['outcome', 'failed', 1],
  ]);
  expect(of('stage_items_total').map(({ labels, value }) => [labels.stage, value])).toEqual([
    ['augment', 4000],
    ['train', 480],
  ]);
  expect(of('stage_busy_ratio').map(({ labels, value }) => [labels.stage, value])).toEqual([['train', 0.75]]);
  expect(of('edge_queue').map(({ labels, value }) => [labels.from, labels.to, value])).toEqual([
    ['augment', 'train', 12],
  ]);
  expect(of('snapshots_written_total').map(({ value }) => value)).toEqual([19]);
  expect(of('snapshot_timestamp_seconds').map(({ value }) => value)).toEqual([1_767_225_600.25]);
  expect(of('tap_items_dropped_total').map(({ value }) => value)).toEqual([99]);
  expect(of('event_loop_delay_seconds').map(({ value }) => value)).toEqual([0.08]);
});

test('of a run that nobody works on, what its files tell', () => {
  const { pulse: _, ...files } = readings;
  const names = scraped(exposition(familiesOf({ ...files, pulse: undefined, state: 'done' })).text).map(
    ({ name }) => name,
  );
  expect(names).toContain('weir_logged_loss');
  expect(names).not.toContain('weir_resident_memory_bytes');
  expect(names.filter((name) => /stage|edge|tap/.test(name))).toEqual([]);
});

function hasClient(): boolean {
  try {
    execFileSync(process.env.WEIR_PYTHON!, ['-c', 'import prometheus_client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const python = process.env.WEIR_PYTHON && hasClient();

test.skipIf(!python)('Prometheus’ own parsers read both (WEIR_PYTHON with prometheus_client)', () => {
  for (const [module, accept] of [
    ['prometheus_client.parser', ''],
    ['prometheus_client.openmetrics.parser', open],
  ] as const) {
    const program = `import sys, json
from ${module} import text_string_to_metric_families as read
print(json.dumps([[s.name, s.labels, str(s.value)] for f in read(sys.stdin.read()) for s in f.samples]))`;
    const { text } = exposition(families, accept);
    const out = execFileSync(process.env.WEIR_PYTHON!, ['-c', program], { input: text, encoding: 'utf8' });
    const read = JSON.parse(out) as [string, Record<string, string>, string][];
    expect(read.map(([name, labels]) => ({ name, labels }))).toEqual(
      scraped(text, accept === '' ? 'text' : 'openmetrics').map(({ name, labels }) => ({ name, labels })),
    );
  }
});
