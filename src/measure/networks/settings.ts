import type { Figure, Panel } from '../../plot/figures-figure.js';
import type { Report } from './record.js';
import { type Group, settingOf, settingsOf } from './report-groups.js';

/** One figure over all settings of a report: a headed row of panels for each, one legend, what came out of each in turn. */
export function acrossSettings(report: Report, draw: (part: Report, setting: string) => Figure | null): Figure | null {
  const settings = settingsOf(report.networks);
  if (settings.length < 2) return draw(report, settings[0] ?? '');
  const drawn = settings.flatMap((setting) => {
    const networks = report.networks.filter((network) => settingOf(network) === setting);
    const figure = draw({ ...report, networks }, setting);
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
    outcome: inTurn(drawn.map(({ setting, figure }) => ({ setting, text: figure.outcome }))),
  };
}

/** What is said of each item, by setting where there are several: 'Clean: …; …. Noisy: …; ….' */
export function told<T extends { readonly group: Group }>(items: readonly T[], say: (item: T) => string): string {
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
function inTurn(all: readonly { readonly setting: string; readonly text: string }[]): string {
  const opening = /^[^:;]+: /.exec(all[0]!.text)?.[0] ?? '';
  const shared = all.length > 1 && opening !== '' && all.every(({ text }) => text.startsWith(opening)) ? opening : '';
  const each = all.map(({ setting, text }) => `${capital(setting)}: ${text.slice(shared.length)}`);
  return [...(shared ? [`${shared.slice(0, -2)}.`] : []), ...each].join(' ');
}

const named = (setting: string): string => setting || 'otherwise';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Panels in order of their settings, each setting headed where there are several. */
export function headed(panels: readonly { readonly setting: string; readonly panel: Panel }[]): Panel[] {
  const several = new Set(panels.map(({ setting }) => setting)).size > 1;
  return panels.map(({ setting, panel }, i) =>
    several && setting !== panels[i - 1]?.setting ? { ...panel, heading: named(setting) } : panel,
  );
}
