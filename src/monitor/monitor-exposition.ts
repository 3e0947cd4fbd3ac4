/** A quantity that a scraper takes: what it is, and its value for each set of labels. */
export interface Family {
  /** Of a counter without `_total`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
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
export function exposition(families: readonly Family[], accept = ''): Exposition {
  const open = accept.includes('application/openmetrics-text');
  const lines = families.flatMap(({ name, type, help, samples }) => {
    if (samples.length === 0) return [];
    const full = type === 'counter' ? `${name}_total` : name;
    const said = open ? name : full;
    return [
      `# HELP ${said} ${escaped(help, open ? /[\\\n"]/g : /[\\\n]/g)}`,
      `# TYPE ${said} ${type}`,
      ...samples.map(({ labels, value }) => `${full}${labeled(labels)} ${spelled(value)}`),
    ];
  });
  return {
    type: open
      ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
      : 'text/plain; version=0.0.4; charset=utf-8',
    text: `${[...lines, ...(open ? ['# EOF'] : [])].join('\n')}\n`,
  };
}

function labeled(labels: Sample['labels']): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value, /[\\\n"]/g)}"`);
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}

const escaped = (text: string, which: RegExp): string =>
  text.replace(which, (letter) => (letter === '\n' ? '\\n' : `\\${letter}`));

const spelled = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
