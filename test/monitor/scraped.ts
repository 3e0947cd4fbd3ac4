import type { MetricSample } from '../../src/monitor/exposition.js';

export type Scraped = MetricSample & { readonly name: string };

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const help = new RegExp(`^# HELP (${name}) ((?:[^\\\\\\n]|\\\\[n"\\\\])+)$`);
const type = new RegExp(`^# TYPE (${name}) (gauge|counter|summary)$`);
const sample = new RegExp(
  `^(${name})(?:\\{(${label}(?:,${label})*)\\})? (NaN|[+-]Inf|-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`,
);

/**
 * Reads Prometheus' text format or OpenMetrics', as strictly as their grammars are: help, type, then samples of that family alone,
 * each set of labels once, a line feed at the very end. @throws at the first line that does not belong
 */
export function scraped(text: string, format: 'text' | 'openmetrics' = 'text'): Scraped[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line does not end');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('the end is not marked');
  const families = new Set<string>();
  const seen = new Set<string>();
  const found: Scraped[] = [];
  let own: { readonly family: string; readonly samples: string; readonly summary: boolean } | undefined;
  let helped: string | undefined;
  for (const line of lines) {
    const [, ofHelp] = help.exec(line) ?? [];
    const [, ofType, kind] = type.exec(line) ?? [];
    const [, ofSample, labels = '', value] = sample.exec(line) ?? [];
    if (ofHelp !== undefined) {
      if (families.has(ofHelp)) throw new Error(`a second family ${ofHelp}`);
      families.add(ofHelp);
      [helped, own] = [ofHelp, undefined];
    } else if (ofType !== undefined) {
      if (ofType !== helped) throw new Error(`a type without its help: ${line}`);
      const total = kind === 'counter';
      if (total && format === 'text' && !ofType.endsWith('_total'))
        throw new Error(`a counter without _total: ${line}`);
      const samples = total && format === 'openmetrics' ? `${ofType}_total` : ofType;
      own = { family: ofType, samples, summary: kind === 'summary' };
    } else if (ofSample !== undefined && value !== undefined) {
      const base = own?.summary ? ofSample.replace(/_(sum|count)$/, '') : ofSample;
      if (base !== own?.samples) throw new Error(`a sample outside of its family: ${line}`);
      if (seen.has(`${ofSample}{${labels}}`)) throw new Error(`the same labels twice: ${line}`);
      seen.add(`${ofSample}{${labels}}`);
      found.push({ name: ofSample, labels: labelsOf(labels), value: numberOf(value) });
    } else throw new Error(`no line of the format: ${line}`);
  }
  return found;
}

const labelsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [
      key!,
      value!.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter)),
    ]),
  );

const numberOf = (text: string): number =>
  text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
