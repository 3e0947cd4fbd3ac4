import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { updateRecord } from '../../../src/learn/update.js';
import { accuracyRecord } from '../../../src/measure/accuracy/accuracy.js';
import { attackRecord } from '../../../src/measure/attack/record.js';
import { rankedReport, settingRanking } from '../../../src/measure/networks/ranking.js';
import type { Report } from '../../../src/measure/networks/record.js';
import { measured } from '../../../src/measure/networks/summary.js';
import { classifierRecord, onlineReadoutRecord } from '../../../src/measure/readout/record.js';
import { compose } from '../../../src/plot/figure-file.js';
import { figures } from '../../../src/report/figures.js';
import { reportJson } from '../../../src/report/json.js';
import { reportHtml } from '../../../src/report/report.js';
import { collectReport } from '../../../src/run/collect/collect.js';
import type { MetricRecord } from '../../../src/storage/metric-reader.js';
import { category, key, quantity, record, z } from '../../../src/storage/record.js';
import { RunFolder } from '../../../src/storage/run-folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-collect-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The schemas of the streams that these logs have. */
const declared = {
  updates: updateRecord.description,
  tests: accuracyRecord.description,
  readouts: onlineReadoutRecord.description,
  classifiers: classifierRecord.description,
  attacks: attackRecord('Tangent Attack').description,
  gradients: attackRecord('By gradients', 'white-box').description,
};

/** The networks of a run whose metric log holds these lines. */
const collected = (pipeline: string, lines: readonly MetricRecord[]) =>
  collectReport([logging(pipeline, lines)]).networks;

/** A run with these lines in its metric log. */
function logging(pipeline: string, lines: readonly MetricRecord[], config: object = { burnIn: 3 }, path = pipeline) {
  const networks = [{ name: 'a', seed: 0, regularizer: 'none' }];
  const about = { module: 'none.ts', pipeline, seed: 0, config: { ...config }, networks };
  const run = RunFolder.create(join(folder, path), about);
  run.declare(declared);
  const log = run.metrics;
  for (const line of lines) log.append(line);
  log.close();
  return run;
}

test('a network that was trained twice goes by both its regularizers', () => {
  const of = (name: string, pretrained: string, finetuned: string) => {
    return { network: name, stream: 'network', name, seed: 1, regularizer: 'twice', pretrained, finetuned };
  };
  const networks = collected('finetune', [of('a', 'none', 'none'), of('b', 'rep-spectral', 'll-spectral')]);
  expect(networks.map(({ regularizer, burnIn }) => [regularizer, burnIn])).toEqual([
    ['none > none', null],
    ['rep-spectral > ll-spectral', 3],
  ]);
});

test('readouts tested while it learned are a curve of their own; the accuracy is that of the last classifier', () => {
  const untrained = { accuracy: 0.2, lower: 0.1, upper: 0.3 };
  const fit = { fit: 'scikit-learn', iterations: 85, iterationLimit: 100, converged: true };
  const about = { network: 'a', stream: 'network', name: 'a', seed: 0, regularizer: 'none' };
  const tested = (epoch: number, accuracy: number) => {
    return {
      network: 'a',
      stream: 'readouts',
      number: epoch,
      epoch,
      accuracy,
      lower: accuracy - 0.1,
      upper: accuracy + 0.1,
      untrained,
      ...fit,
    };
  };
  const lines = [about, tested(0, 0.2), tested(5, 0.6)];
  const [learning] = collected('early', lines);
  expect(learning).toMatchObject({ testAccuracy: 0.6, curves: { 'test accuracy': [] } });
  expect(learning!.probes).toEqual([
    expect.objectContaining({ epoch: 0, accuracy: 0.2, lower: 0.1, upper: expect.closeTo(0.3), untrained, ...fit }),
    expect.objectContaining({ epoch: 5, accuracy: 0.6, lower: 0.5, upper: expect.closeTo(0.7), untrained, ...fit }),
  ]);
  const classifier = { network: 'a', stream: 'classifiers', epoch: 5, accuracy: 0.7, trainAccuracy: 0.8, ...fit };
  const [done] = collected('late', [...lines, classifier]);
  expect(done).toMatchObject({ testAccuracy: 0.7, classifier: { accuracy: 0.7, trainAccuracy: 0.8, ...fit } });
});

test('a learning rate that changes is a curve; one that does not is left to the config; old logs have none', () => {
  const about = { network: 'a', stream: 'network', name: 'a', seed: 0, regularizer: 'none' };
  const curveOf = (name: string, rates: readonly (number | undefined)[]) => {
    const updates = rates.map((rate, i) => ({
      network: 'a',
      stream: 'updates',
      number: i + 1,
      epoch: i + 1,
      endsEpoch: true,
      epochLoss: 1,
      ...(rate !== undefined && { rate }),
    }));
    return collected(name, [about, ...updates])[0]!.curves['learning rate'];
  };
  expect(curveOf('cosine', [0.1, 0.05])).toEqual([
    { epoch: 1, value: 0.1 },
    { epoch: 2, value: 0.05 },
  ]);
  expect([curveOf('constant', [0.1, 0.1]), curveOf('old', [undefined, undefined])]).toEqual([[], []]);
});

describe('numbers of one network that are of several moments', () => {
  const ending = expect.stringContaining('is not at its end'); // these runs have no snapshots
  const a = { network: 'a' };
  const about = { ...a, stream: 'network', name: 'a', seed: 0, regularizer: 'none' };
  const attack = (number: number, index: number, distance: number, more: object = {}) => {
    const found = { outcome: 'found', label: 1, predicted: 1, adversarialLabel: 2, queries: 9 };
    return { ...a, stream: 'attacks', number, epoch: number, index, distance, ...found, ...more };
  };
  const distances = (run: RunFolder) =>
    collectReport([run]).networks[0]!.attack!.samples.map(({ index, distance }) => [index, distance]);

  test('only the attack on the last weights counts, and a note says so', () => {
    const run = logging('often', [about, attack(0, 1, 9), attack(1, 1, 8), attack(2, 1, 3), attack(2, 4, 5)]);
    expect(distances(run)).toEqual([
      [1, 3],
      [4, 5],
    ]);
    const said = 'a: attacked after updates 0, 1, 2; the report has what came out after the last, 2.';
    expect(collectReport([run]).notes).toEqual([said, ending]);
  });

  test('a sample that is attacked twice counts once, by the nearer point, and a note says so', () => {
    const run = logging('twice', [about, attack(2, 1, 3), attack(2, 4, 5), attack(2, 1, 2), attack(2, 4, Number.NaN)]);
    expect(distances(run)).toEqual([
      [1, 2],
      [4, 5],
    ]);
    expect(collectReport([run]).notes?.join()).toContain(
      'attacked more than once on 2 of its samples; each counts once',
    );
  });

  test('of several attacks on a sample the nearest point is its upper bound, and the report says whose it is', () => {
    const seen = (index: number, distance: number, more: object = {}) =>
      attack(2, index, distance, { stream: 'gradients', kind: 'white-box', queries: 5, lower: 0.5, ...more });
    const classes = (index: number, distance: number) => attack(2, index, distance, { kind: 'black-box', lower: 0.5 });
    const run = logging('several', [
      about,
      ...[classes(1, 3), classes(2, 5), classes(3, Number.NaN), classes(4, 7)],
      ...[seen(1, 2), seen(2, 6), seen(3, 4), seen(9, 1), seen(1, 0.1, { number: 1 })],
    ]);
    const report = collectReport([run]);
    const { attack: found } = report.networks[0]!;
    expect(found).toMatchObject({ name: 'Tangent Attack', kind: 'black-box' });
    expect(found!.samples.map(({ index, distance, upper, by }) => [index, distance, upper, by])).toEqual([
      [1, 3, 2, 'By gradients'],
      [2, 5, 5, 'Tangent Attack'],
      [3, null, 4, 'By gradients'],
      [4, 7, 7, 'Tangent Attack'], // which the other one did not attack
    ]);
    expect(found!.portfolio).toEqual({
      samples: 3,
      meanBest: (2 + 5 + 4) / 3,
      attacks: [
        { name: 'Tangent Attack', kind: 'black-box', best: 1, meanDistance: 4, meanQueries: 9 },
        { name: 'By gradients', kind: 'white-box', best: 2, meanDistance: 4, meanQueries: 5 },
      ],
    });
    expect(reportHtml(report)).toMatch(/By gradients<.*white-box<.*2 of 3<.*the best of each sample/s);
    const bounds = figures(report).find(({ id }) => id === 'bounds');
    expect(bounds!.legend.map(({ label, mark }) => [label, mark])).toEqual(
      expect.arrayContaining([
        ['Δx by Tangent Attack (black-box): an upper bound', 'dot'],
        ['nearer, by another attack (white-box): the upper bound', 'triangle'],
      ]),
    );
    expect(figures(report).find(({ id }) => id === 'robustness')!.reading).toContain('By gradients: white-box');
  });

  test('T is that of the attack, never that of the config', () => {
    const rounds = (name: string, more: object) =>
      collectReport([logging(name, [about, attack(1, 1, 3, more)], { iterations: 40 })]).networks[0]!.attack!
        .iterations;
    expect([rounds('own', { iterations: 2 }), rounds('none', {})]).toEqual([2, null]);
  });

  test('distances of standardized samples are in deviations', () => {
    const reading = (name: string, more: object) => {
      const samples = [attack(2, 0, 3, more), attack(2, 1, 4, more)];
      const all = figures(collectReport([logging(name, [about, ...samples])]));
      return all.map(({ reading }) => reading).join(' ');
    };
    expect(reading('plain', {})).toContain('Δx: l2, in units of the input');
    const standardized = reading('standardized', { standardized: true });
    expect(standardized).toContain('Δx: l2, in deviations of each feature');
    expect(standardized).not.toContain('units of the input');
  });

  test('the test accuracy is that of the stream tests, never that of another one before it', () => {
    const of = (stream: string, accuracy: number) => ({ ...a, stream, number: 2, epoch: 1, accuracy, loss: 1 });
    const logged = (name: string, ...lines: MetricRecord[]) => {
      const run = logging(name, [about, ...lines]);
      const { description } = accuracyRecord;
      run.declare({ validations: description, averages: description, tests: description });
      return collectReport([run]);
    };
    const named = (report: Report) => measured(report.networks).map(({ name, of }) => [name, of(report.networks[0]!)]);
    const all = logged('all', of('validations', 0.25), of('averages', 0.5), of('tests', 0.75));
    expect(named(all)).toEqual([
      ['Test accuracy, %', 0.75],
      ['Accuracy of validations, %', 0.25],
      ['Accuracy of averages, %', 0.5],
    ]);
    expect(all.networks[0]!.curves['test accuracy']).toEqual([{ epoch: 1, value: 0.75 }]);
    const only = logged('only', of('validations', 0.25));
    expect(named(only)).toEqual([['Accuracy of validations, %', 0.25]]);
    expect(only.networks[0]).toMatchObject({ testAccuracy: null, curves: { 'test accuracy': [] } });
    const same = logged('same', of('validations', 0.5), of('tests', 0.5));
    expect(settingRanking(rankedReport(same, 'validations.accuracy'))!.measure.name).toBe('validations.accuracy, %');
    expect(settingRanking(rankedReport(same, 'usual'))!.measure.name).toBe('Test accuracy, %');
  });

  test('two tests after one update that differ are noted', () => {
    const tested = (accuracy: number) => ({ ...a, stream: 'tests', number: 2, epoch: 1, accuracy });
    const [note] = collectReport([logging('tests', [about, tested(0.5), tested(0.7)])]).notes ?? [];
    expect(note).toContain('test accuracy after update 2 came out as 0.5 and 0.7');
  });

  test('a network made again to the same numbers counts once, and a note says so; one with other numbers counts too', () => {
    const lines = (distance: number) => [
      about,
      { ...a, stream: 'updates', number: 1, epoch: 1 },
      attack(1, 1, distance),
    ];
    const [first, same, other] = [
      logging('x', lines(3), {}),
      logging('x', lines(3), {}, 'y'),
      logging('x', lines(4), {}, 'z'),
    ];
    const report = collectReport([first!, same!, other!]);
    expect(report.networks.map(({ run }) => run)).toEqual([first!.shown, other!.shown]);
    expect(report.notes).toContain(
      `a of ${same!.shown} came out as that of ${first!.shown} did, in every number: it counts once.`,
    );
  });

  test('a run that is named twice, or copied, counts once, and a note says so', () => {
    const run = logging('once', [about, attack(1, 1, 3)]);
    cpSync(run.path, join(folder, 'copy'), { recursive: true });
    const report = collectReport([run, RunFolder.open(run.path), RunFolder.open(join(folder, 'copy'))]);
    expect(report.networks).toHaveLength(1);
    expect(report.notes).toEqual([
      `${run.shown} was named twice; it counts once.`,
      `${RunFolder.open(join(folder, 'copy')).shown} is a copy of ${run.shown} and is left out.`,
      ending,
    ]);
  });
});

describe('streams that the report knows by their schema alone', () => {
  const fgsm = record({
    name: 'FGSM',
    role: 'attack',
    total: 'total',
    fields: {
      index: key(z.int()),
      outcome: category(['found', 'failed']),
      distance: quantity({ unit: 'input units', better: 'higher', headline: true }),
      total: z.int(),
    },
  });
  const drift = record({
    name: 'drift',
    role: 'measurement',
    fields: { drift: quantity({ label: 'moved', better: 'lower', headline: true }) },
  });
  const own = (regularizer: string, seed: number) => {
    const name = `${regularizer}-s${seed}`;
    const network = { network: name };
    return [
      { ...network, stream: 'network', name, seed, regularizer, sampleShape: [4] },
      ...[0.5, 1, 2].map((distance, index) => ({
        ...network,
        stream: 'fgsm',
        number: 8,
        epoch: 4,
        index,
        outcome: index < 2 ? 'found' : 'failed',
        distance: index < 2 ? distance + seed : Number.NaN,
        total: 3,
      })),
      ...[1, 2, 3, 4].map((epoch) => ({
        ...network,
        stream: 'drift',
        number: 2 * epoch,
        epoch,
        drift: 1 / (seed + epoch),
      })),
    ];
  };
  const run = () => {
    const lines = ['none', 'rep-spectral'].flatMap((kind) => [0, 1].flatMap((seed) => own(kind, seed)));
    const made = logging('own', lines);
    made.declare({ fgsm: fgsm.description, drift: drift.description });
    return collectReport([made]);
  };

  test('each has its charts in a figure of the report, as its schema says', () => {
    const figure = figures(run()).find(({ id }) => id === 'measurements')!;
    const labels = figure.panels.map(({ svg }) => /aria-label="([^"]*)"/.exec(svg)![1]);
    expect(labels).toEqual([
      expect.stringContaining('FGSM: outcome'),
      expect.stringContaining('records with at most this'),
      expect.stringContaining('drift: moved over epochs'),
    ]);
    expect(figure.outcome).toMatch(/FGSM: distance \(median\) none [\d.]+ \(4 of 6 records\)/);
    expect(compose(figure)).not.toMatch(/NaN|undefined/);
  });

  test('records that are more than their total, or fewer in a network that is done, are noted by stream and network', () => {
    const noted = (name: string, count: number, done: boolean) => {
      const [about, first] = own('none', 0);
      const lines = [{ ...about, network: 'a', name: 'a' }];
      const made = logging(name, [
        ...lines,
        ...Array.from({ length: count }, () => ({ ...first, network: 'a' })),
      ] as never);
      made.declare({ fgsm: fgsm.description });
      const log = made.metrics;
      if (done) made.snapshots('a').write('done', { logged: log.mark }, {});
      log.close();
      return collectReport([made]).notes.filter((note) => note.includes('fgsm'));
    };
    const tooMany = 'a: stream fgsm has 4 records at update 8, more than its total of 3.';
    expect(noted('more', 4, true)).toEqual([tooMany]);
    expect(noted('more-so-far', 4, false)).toEqual([tooMany]);
    expect(noted('as-many', 3, true)).toEqual([]);
    expect(noted('fewer', 2, true)).toEqual([
      'a: stream fgsm has 2 of 3 records at update 8, though the network is done.',
    ]);
    expect(noted('fewer-so-far', 2, false)).toEqual([]);
  });

  test('their headlines are rows of the tables and of the comparisons, and no attack of the report is made of them', () => {
    const report = run();
    expect(report.networks[0]!.attack).toBeNull();
    const html = reportHtml(report);
    for (const text of ['FGSM: distance', 'drift: moved']) expect(html).toContain(text);
    const { comparisons, networks } = JSON.parse(reportJson(report));
    expect(networks[0].measurements.fgsm).toEqual({
      name: 'FGSM',
      role: 'attack',
      records: 3,
      means: { distance: { mean: 0.75, count: 2, of: 3 } }, // neither of `index` nor of `total`
    });
    expect(html).toMatch(/<br>4 of 6 records/);
    expect(comparisons.map(({ measure }: { measure: string }) => measure)).toEqual(
      expect.arrayContaining(['FGSM: distance', 'drift: moved']),
    );
  });
});
