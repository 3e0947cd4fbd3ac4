import { type FieldDescription, labelWithUnit } from '../storage/record.js';
import type { NewestValue } from './curves.js';
import type { LivePulse } from './messages.js';

/** A quantity that a scraper takes: what it is, and its value for each set of labels. */
export interface MetricFamily {
  /** Of a counter without `_total`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'summary';
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Behind the family's name: `_sum` and `_count` of a summary. */
  readonly suffix?: string;
}

/** A text that a scraper reads. */
export interface Exposition {
  readonly type: string;
  readonly text: string;
}

/**
 * Families in Prometheus' text format, or in OpenMetrics' where the request accepts that: there a counter's family goes without
 * `_total`, quotes are escaped in helps too, and the end is marked. A family without samples is left out.
 *
 * Written here: prom-client keeps values between scrapes and would have to forget those of stages that are gone.
 */
export function exposition(families: readonly MetricFamily[], accept = ''): Exposition {
  const open = accept.includes('application/openmetrics-text');
  const lines = families.flatMap(({ name, type, help, samples }) => {
    if (samples.length === 0) return [];
    const full = type === 'counter' ? `${name}_total` : name;
    const family = open ? name : full;
    return [
      `# HELP ${family} ${escaped(help, open ? /[\\\n"]/g : /[\\\n]/g)}`,
      `# TYPE ${family} ${type}`,
      ...samples.map(({ labels, value, suffix = '' }) => `${full}${suffix}${labeled(labels)} ${spelled(value)}`),
    ];
  });
  return {
    type: open
      ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
      : 'text/plain; version=0.0.4; charset=utf-8',
    text: `${[...lines, ...(open ? ['# EOF'] : [])].join('\n')}\n`,
  };
}

function labeled(labels: MetricSample['labels']): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value, /[\\\n"]/g)}"`);
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}

const escaped = (text: string, which: RegExp): string =>
  text.replace(which, (letter) => (letter === '\n' ? '\\n' : `\\${letter}`));

const spelled = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);

/** What a field of a stream's samples says at the newest update that has any. */
export interface SampledField {
  readonly network: string;
  readonly stream: string;
  readonly field: string;
  readonly about: FieldDescription;
  readonly values: readonly (number | string)[];
}

/** Where a run stands now, for a scraper. */
export interface Readings {
  readonly run: string;
  readonly pipeline: string;
  readonly seed: number;
  /** One of `states`. */
  readonly state: string;
  /** The network under way, and how far it is; null where nothing was logged yet. */
  readonly at: { readonly network: string; readonly update: number; readonly epoch: number } | null;
  readonly newest: readonly NewestValue[];
  readonly sampled: readonly SampledField[];
  /** What the process that works on it says; undefined where none does. */
  readonly pulse: LivePulse | undefined;
  /** By network: how many were written, and when the last one was, in seconds since 1970. */
  readonly snapshots: readonly { readonly network: string; readonly written: number; readonly at: number }[];
  readonly viewers: number;
}

const moving = ['running', 'pausing', 'paused', 'stopping'];
const states = [...moving, 'stopped', 'failed', 'killed', 'elsewhere', 'done', 'damaged'];

/** The readings as families of numbers, all with the run's name. Bound: that of the log's follower and of the graph. */
export function familiesOf(readings: Readings): MetricFamily[] {
  const { run, pipeline, seed, state, at, newest, sampled, pulse, snapshots, viewers } = readings;
  const one = (value: number | null | undefined, labels: MetricSample['labels'] = {}): MetricSample[] =>
    value === null || value === undefined ? [] : [{ labels: { run, ...labels }, value }];
  const network = { network: pulse?.network.name ?? '' };
  const { stages = [], edges = [], memory, tensors, taps } = pulse ?? {};
  const family =
    (type: MetricFamily['type']) =>
    (name: string, help: string, samples: readonly MetricSample[]): MetricFamily => {
      return { name: `weir_${name}`, type, help, samples };
    };
  const [gauge, counter] = [family('gauge'), family('counter')];
  return [
    gauge('run_info', 'The run: its pipeline and seed.', one(1, { pipeline, seed: String(seed) })),
    gauge(
      'run_state',
      '1 for the state that the run is in.',
      states.flatMap((each) => one(Number(each === state), { state: each })),
    ),
    gauge('update', 'Updates so far of the network under way.', at ? one(at.update, { network: at.network }) : []),
    gauge('epoch', 'The epoch that it is in, from 1 on.', at ? one(at.epoch, { network: at.network }) : []),
    counter(
      'stage_items',
      'Items that left a stage; of a sink, that came to it.',
      stages.flatMap(({ name, items }) => one(items, { ...network, stage: name })),
    ),
    gauge(
      'stage_busy_ratio',
      'Part of the time since the last reading that a stage spent in its own work, 0 to 1.',
      stages.flatMap(({ name, busy }) => one(busy, { ...network, stage: name })),
    ),
    gauge(
      'edge_queue',
      'Samples that wait between two stages.',
      edges.flatMap(({ from, to, queue }) => one(queue, { ...network, from, to })),
    ),
    gauge(
      'edge_limit',
      'How many samples may wait there.',
      edges.flatMap(({ from, to, limit }) => one(limit, { ...network, from, to })),
    ),
    gauge('samples_per_second', 'Samples trained a second since the last reading.', one(pulse?.samples)),
    counter(
      'snapshots_written',
      'Snapshots written.',
      snapshots.flatMap(({ network, written }) => one(written, { network })),
    ),
    gauge(
      'snapshot_timestamp_seconds',
      'When the last snapshot was written, in seconds since 1970.',
      snapshots.flatMap(({ network, at }) => one(at, { network })),
    ),
    gauge('taps', 'Taps from outside that are open.', one(taps?.open)),
    counter('tap_items_dropped', 'Items that made way in taps from outside.', one(taps?.dropped)),
    gauge('viewers', 'Viewers that follow the events.', one(viewers)),
    gauge(
      'rank_waiting',
      'Part of the time that a rank waited for the others since the last reading, what they sent included.',
      (pulse?.ranks ?? []).flatMap((share, rank) => one(share, { rank: String(rank) })),
    ),
    gauge('resident_memory_bytes', 'Memory of the process.', one(memory?.resident)),
    gauge('heap_bytes', 'Memory of JavaScript’s heap.', one(memory?.heap)),
    gauge('tensors', 'Tensors alive.', one(tensors?.count)),
    gauge('tensor_bytes', 'Their bytes.', one(tensors?.bytes)),
    gauge(
      'event_loop_delay_seconds',
      'The longest that the training thread’s event loop waited since the last reading: about an update.',
      one(pulse?.loopDelay),
    ),
    ...loggedFamilies(run, newest),
    ...sampledFamilies(run, sampled),
  ];
}

/** A family for every field that is logged once an update: `weir_logged_loss`. */
function loggedFamilies(run: string, newest: readonly NewestValue[]): MetricFamily[] {
  const families = newest.map(({ network, stream, role, field, part, about, value }): MetricFamily => {
    const labels = { run, network, stream, role, field, ...(part !== '' && { part }) };
    return {
      name: `weir_logged_${snakeCase(part === '' ? field : field.slice(0, -part.length - 1))}`,
      type: 'gauge',
      help: `As last logged: ${labelWithUnit(about)}.`,
      samples: [{ labels, value }],
    };
  });
  return joined(families);
}

const quantiles = [0, 0.25, 0.5, 0.75, 1];

/**
 * Of what is measured sample by sample: a summary for every number (`weir_sampled_distance`), over the finite values of the newest
 * update, and a count for every word.
 */
function sampledFamilies(run: string, sampled: readonly SampledField[]): MetricFamily[] {
  const families = sampled.map(({ network, stream, field, about, values }): MetricFamily => {
    const labels = { run, network, stream, field };
    if (about.type === 'text') {
      const count = (word: unknown): number => values.filter((value) => value === word).length;
      return {
        name: 'weir_sampled_records',
        type: 'gauge',
        help: 'Samples that have a value, at the newest update.',
        samples: [...new Set(values)].map((word) => ({
          labels: { ...labels, value: String(word) },
          value: count(word),
        })),
      };
    }
    const sorted = values.filter((value): value is number => Number.isFinite(value)).sort((a, b) => a - b);
    const at = (quantile: number): number => sorted[Math.round(quantile * (sorted.length - 1))] ?? Number.NaN;
    return {
      name: `weir_sampled_${snakeCase(field)}`,
      type: 'summary',
      help: `Over the samples of the newest update: ${labelWithUnit(about)}.`,
      samples: [
        ...quantiles.map((quantile) => ({ labels: { ...labels, quantile: String(quantile) }, value: at(quantile) })),
        { labels, suffix: '_sum', value: sorted.reduce((sum, value) => sum + value, 0) },
        { labels, suffix: '_count', value: sorted.length },
      ],
    };
  });
  return joined(families);
}

/** One family a name. */
function joined(families: readonly MetricFamily[]): MetricFamily[] {
  const byName = new Map<string, MetricFamily>();
  for (const family of families) {
    const before = byName.get(family.name);
    byName.set(family.name, before ? { ...before, samples: [...before.samples, ...family.samples] } : family);
  }
  return [...byName.values()];
}

/** `epochLoss` as Prometheus spells names: `epoch_loss`. */
const snakeCase = (field: string): string =>
  field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/[^a-zA-Z0-9]+/g, '_');
