import type { DrawnFigure, Panel } from '../../plot/figure.js';
import { transferOf, unregularized } from '../../plot/style.js';
import type { ConfigValues, NetworkReport, Report } from './record.js';

/** The networks that differ in nothing but their seed. */
export interface SeedGroup {
  /** What figures and tables call it: the regularizer, with pipeline and setting before it where a report holds several. */
  readonly label: string;
  readonly pipeline: string;
  readonly setting: string;
  readonly regularizer: string;
  readonly networks: readonly NetworkReport[];
}

/** The regularizers of the paper, in the order of its figures; others follow in the order they come. */
const ORDER = ['none', 'll-spectral', 'readout-spectral', 'rep-spectral', 'batch-spectral-shrinkage'];

/**
 * Networks by pipeline, setting and regularizer, each group in order of its seeds.
 *
 * @example for (const group of groups(report)) console.log(summarizeGroup(group));
 */
export function groups(report: Report): SeedGroup[] {
  const pipelines = unique(report.networks.map(({ pipeline }) => pipeline));
  return pipelines.flatMap((pipeline) => {
    const ofPipeline = report.networks.filter((network) => network.pipeline === pipeline);
    const settings = settingsOf(ofPipeline);
    return settings.flatMap((setting) => {
      const alike = ofPipeline.filter((network) => settingOf(network) === setting);
      const where = [...(pipelines.length > 1 ? [pipeline] : []), ...(settings.length > 1 && setting ? [setting] : [])];
      return unique(alike.map(({ regularizer }) => regularizer))
        .sort(byOrder)
        .map((regularizer) => ({
          label: where.length > 0 ? `${where.join(', ')}: ${regularizer}` : regularizer,
          pipeline,
          setting,
          regularizer,
          networks: alike.filter((network) => network.regularizer === regularizer).sort((a, b) => a.seed - b.seed),
        }));
    });
  });
}

/** The setting of a network; '' where its experiment has one only. */
export const settingOf = ({ setting = '' }: NetworkReport): string => setting;

/** The settings of some networks, in the order of their runs; '' is one as any other. */
export const settingsOf = (networks: readonly NetworkReport[]): string[] => unique(networks.map(settingOf));

/** Networks by their training: one that was trained once for several runs is in the report for each of them. */
export function byTraining(networks: readonly NetworkReport[]): NetworkReport[][] {
  const trainings = new Map<string, NetworkReport[]>();
  for (const network of networks) {
    const key = JSON.stringify([network.trainedBy ?? network.run, network.name]);
    trainings.set(key, [...(trainings.get(key) ?? []), network]);
  }
  return [...trainings.values()];
}

/** '4 networks, 1 of them shared by settings': each counts once. */
export function countOfNetworks(networks: readonly NetworkReport[]): string {
  const trained = byTraining(networks);
  const shared = trained.filter(({ length }) => length > 1).length;
  const many = `${trained.length} network${trained.length === 1 ? '' : 's'}`;
  return shared === 0 ? many : `${many}, ${shared === trained.length ? 'all' : shared} of them shared by settings`;
}

/** Whether the network's run has these values in its config. */
export const hasConfig = ({ config = {} }: NetworkReport, values: ConfigValues = {}): boolean =>
  Object.entries(values).every(([key, value]) => config[key] === value);

/** Whether the network's inputs are points of the plane. */
export const planar = ({ sampleShape }: NetworkReport): boolean => sampleShape.length === 1 && sampleShape[0] === 2;

/** The order of regularizers, in figures and tables; of networks that were trained twice by pretraining, then by fine-tuning. */
export function byOrder(a: string, b: string): number {
  const indexOf = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  const [first, second] = [a, b].map((name) => transferOf(name) ?? { pretrained: name, finetuned: name });
  return (
    indexOf(first!.pretrained) - indexOf(second!.pretrained) || indexOf(first!.finetuned) - indexOf(second!.finetuned)
  );
}

/** Two groups of one setting, the first of which is held against the second. */
export type Pair = readonly [a: SeedGroup, b: SeedGroup];

/**
 * Every method against the unregularized one, and rep-spectral against every other. Of networks that were trained twice also every
 * pretraining against none, and every fine-tuning against none, with the other stage the same.
 */
export function opposed(all: readonly SeedGroup[]): Pair[] {
  return all.flatMap((b) =>
    all.filter((a) => a.pipeline === b.pipeline && a.setting === b.setting && opposes(a, b)).map((a): Pair => [a, b]),
  );
}

function opposes(a: SeedGroup, b: SeedGroup): boolean {
  if (a === b || unregularized(a.regularizer)) return false;
  if (unregularized(b.regularizer) || a.regularizer === 'rep-spectral') return true;
  const [mine, theirs] = [transferOf(a.regularizer), transferOf(b.regularizer)];
  if (!mine || !theirs) return false;
  if (mine.finetuned === theirs.finetuned) return theirs.pretrained === 'none';
  return mine.pretrained === theirs.pretrained && theirs.finetuned === 'none';
}

const unique = (names: readonly string[]): string[] => [...new Set(names)];

/** One figure over all settings of a report: a headed row of panels for each, one legend, what came out of each in turn. */
export function acrossSettings(report: Report, draw: (part: Report) => DrawnFigure | null): DrawnFigure | null {
  const settings = settingsOf(report.networks);
  if (settings.length < 2) return draw(report);
  const drawn = settings.flatMap((setting) => {
    const networks = report.networks.filter((network) => settingOf(network) === setting);
    const figure = draw({ ...report, networks });
    return figure ? [{ setting: named(setting), figure }] : [];
  });
  const first = drawn[0];
  if (!first) return null;
  const entries = drawn.flatMap(({ figure }) => figure.legend);
  const headed = (setting: string, { heading }: Panel) => (heading === undefined ? setting : `${setting}: ${heading}`);
  return {
    ...first.figure,
    panels: drawn.flatMap(({ setting, figure }) =>
      figure.panels.map((panel, i) => (i === 0 ? { ...panel, heading: headed(setting, panel) } : panel)),
    ),
    columns: Math.max(...drawn.map(({ figure }) => figure.columns)),
    legend: entries.filter((entry, i) => entries.findIndex(({ label }) => label === entry.label) === i),
    outcome: joinedOutcomes(drawn.map(({ setting, figure }) => ({ setting, text: figure.outcome }))),
  };
}

/** What is said of each item, by setting where there are several: 'Clean: …; …. Noisy: …; ….' */
export function bySetting<T extends { readonly group: SeedGroup }>(
  items: readonly T[],
  say: (item: T) => string,
): string {
  const settings = [...new Set(items.map(({ group }) => group.setting))];
  const of = (setting: string) =>
    items
      .filter(({ group }) => group.setting === setting)
      .map(say)
      .join('; ');
  if (settings.length < 2) return `${items.map(say).join('; ')}.`;
  return settings.map((setting) => `${capital(named(setting))}: ${of(setting)}.`).join(' ');
}

/** Sentences of several settings; what all of them begin with, up to the first colon, is said once. */
function joinedOutcomes(all: readonly { readonly setting: string; readonly text: string }[]): string {
  const opening = /^[^:;]+: /.exec(all[0]!.text)?.[0] ?? '';
  const shared = all.length > 1 && opening !== '' && all.every(({ text }) => text.startsWith(opening)) ? opening : '';
  const each = all.map(({ setting, text }) => `${capital(setting)}: ${text.slice(shared.length)}`);
  return [...(shared ? [`${shared.slice(0, -2)}.`] : []), ...each].join(' ');
}

const named = (setting: string): string => setting || 'otherwise';

/** A setting that begins a sentence; one that begins with a key of the config, 'rate=0.2', stays as the key is spelled. */
const capital = (text: string): string => (/^[\w.]+=/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1));

/** Panels in order of their settings, each setting headed where there are several. */
export function headed(panels: readonly { readonly setting: string; readonly panel: Panel }[]): Panel[] {
  const several = new Set(panels.map(({ setting }) => setting)).size > 1;
  return panels.map(({ setting, panel }, i) =>
    several && setting !== panels[i - 1]?.setting ? { ...panel, heading: named(setting) } : panel,
  );
}
