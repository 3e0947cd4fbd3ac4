import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import verdicts from '../../pipelines/verdicts.js';
import { configOf } from '../../src/run/pipeline.js';
import { loadPipeline } from '../../src/run/pipeline-module.js';
import { verdictLines, verdictsJson } from '../../src/study/json.js';
import { outcomeOf } from '../../src/study/outcome.js';
import { verdictsHtml } from '../../src/study/page.js';
import { decides } from '../../src/study/results.js';
import { scaled } from '../../src/study/scale.js';
import { study } from '../../src/study/study.js';
import { cost, larger } from './example.js';

const two = study({
  name: 'two',
  data: { digits: { describe: 'digits', default: 'embedded' } },
  experiments: {
    digits: {
      pipeline: 'mnist',
      title: '',
      seeds: 3,
      set: ['width=16', 'attacked=12'],
      data: { data: 'digits' },
      cost,
    },
    letters: { pipeline: 'mnist', title: '', seeds: 2, cost },
  },
  profiles: {
    quick: { digits: { seeds: 1, set: ['width=2', 'epochs=1'] } },
    paper: { digits: { seeds: 10, set: ['attacked=1000', 'workers=4'] }, letters: {} },
  },
  protocol: 'paper',
  claims: [larger],
  notJudged: [{ where: 'section 9', words: 'it is fast', why: 'no clock' }],
});
const outcome = (...set: string[]) => outcomeOf(scaled(two, set), [], 'weir reproduce two');
const apart = (...set: string[]) => scaled(two, set).experiments.map((one) => one.apart);

test('an experiment says in which keys, seeds and data it is not the paper’s', () => {
  expect(apart()).toEqual([['data=embedded', 'width=16', 'attacked=12 for 1000', '3 seeds for 10'], []]);
  expect(apart('profile=paper', `digits=${import.meta.dirname}`)).toEqual([[], []]);
  expect(apart('profile=paper', 'digits.epochs=2', 'seeds=1')).toEqual([
    ['data=embedded', 'epochs=2', '1 seed for 10'],
    ['1 seed for 2'],
  ]);
});

test('words by a profile that is not the protocol are a rehearsal: page, terminal and JSON begin with that', () => {
  const quick = outcome('profile=quick');
  const said =
    'A rehearsal: the settings of profile quick are not the paper’s, and its words are no verdicts. What is not the paper’s: digits: data=embedded, width=2, epochs=1, attacked as the pipeline has it for 1000, 1 seed for 10.';
  expect(verdictLines(quick)[0]).toBe(said);
  expect(JSON.parse(verdictsJson(quick))).toMatchObject({ rehearsal: true, scale: said });
  const page = verdictsHtml(quick);
  expect(page.indexOf('A rehearsal: the settings')).toBeGreaterThan(0);
  expect(page.indexOf('A rehearsal: the settings')).toBeLessThan(page.indexOf('Every claim'));
  expect(page).toContain('it is fast');

  const own = outcome();
  expect(verdictLines(own)[0]).toMatch(/^Not at the paper’s scale: 1 of 2 experiments \(digits\)/);
  expect(JSON.parse(verdictsJson(own))).toMatchObject({ rehearsal: false });
  const paper = outcome('profile=paper', `digits=${import.meta.dirname}`);
  expect(verdictLines(paper)[0]).toMatch(/^verdict/);
  expect(verdictsHtml(paper)).not.toMatch(/rehearsal|Not at the paper/i);
});

test('a protocol that is no profile is refused', () => {
  expect(() => study({ ...base, protocol: 'papr' })).toThrow("its protocol is profile 'papr', which there is not");
});
const { kind: _, ...base } = two;

test('no key of the verdicts’ own scale is called a difference and is none', async () => {
  const folder = join(dirname(import.meta.dirname), '../pipelines');
  for (const profile of [[], ['profile=quick']])
    for (const { name, experiment, set, lacking } of scaled(verdicts, profile).experiments) {
      if (lacking?.startsWith('profile')) continue;
      const paper = verdicts.profiles.paper![name]!.set ?? experiment.set ?? [];
      const pipeline = await loadPipeline(join(folder, `${experiment.pipeline}.ts`));
      const usual = configOf(pipeline, []) as Record<string, unknown>;
      const named = (one: string): string => one.split('=', 1)[0]!;
      const same = set
        .filter((one) => decides(named(one)) && !Object.hasOwn(experiment.data ?? {}, named(one)))
        .filter((one) => !paper.some((wanted) => named(wanted) === named(one)))
        .filter((one) => one === `${named(one)}=${usual[named(one)]}`);
      expect(same, name).toEqual([]);
    }
});
