import { type DrawnFigure, type Panel, shortened, widthOf } from '../../plot/figure.js';
import { caption, framed, logTicks, Plot, panel, plain } from '../../plot/panels.js';
import { quantile } from '../../plot/statistics.js';
import { markStyle } from '../../plot/style.js';
import { number } from '../../plot/table.js';
import { attackWords, namesOf } from '../attack/distance-figure.js';
import { type AttackKind, attackKinds } from '../attack/record.js';
import { groups, type SeedGroup } from '../networks/groups.js';
import type { NetworkReport, Report } from '../networks/record.js';
import { distanceUnit, foundSamples } from '../networks/summary.js';
import type { CertificateMethod } from './record.js';

interface Bounded {
  readonly index: number;
  readonly method: CertificateMethod;
  readonly distance: number;
  readonly lower: number;
  readonly local: number | null;
  readonly exact: number | null;
  /** A smaller distance by another attack, and what that one sees. */
  readonly nearer: number | null;
  readonly nearerKind: AttackKind | null;
}

interface Row {
  readonly group: SeedGroup;
  readonly network: NetworkReport;
  readonly samples: readonly Bounded[];
}

const MOST = 40; // samples drawn of a network, evenly spaced in rank

/** Both sides of each attacked sample's distance: the proved bound, and the attack's; the estimated bound beside them. */
export function bounds(report: Report): DrawnFigure | null {
  const all = groups(report).flatMap((group): Row[] => {
    const network = group.networks.find((candidate) => bounded(candidate).length > 0);
    return network ? [{ group, network, samples: bounded(network) }] : [];
  });
  if (all.length === 0) return null;
  const values = all.flatMap(({ samples }) =>
    samples.flatMap(({ distance, lower, local, exact, nearer }) =>
      [lower, local, exact, nearer].map((value) => value ?? distance).concat(distance),
    ),
  );
  const positive = values.filter((value) => value > 0);
  const domain = [Math.min(...positive) * 0.8, Math.max(...positive) * 1.25];
  const columns = Math.min(4, Math.max(2, all.length));
  const exact = all.some(({ samples }) => samples.some((sample) => sample.exact !== null));
  const local = all.some(({ samples }) => samples.some((sample) => sample.local !== null));
  const first = namesOf(all.map(({ network }) => network)) || 'the attack';
  const sighted = all.every(({ network }) => network.attack?.kind === 'white-box');
  const others = attackKinds.filter((kind) =>
    all.some(({ samples }) => samples.some((one) => one.nearerKind === kind)),
  );
  return {
    title: 'Adversarial distances between their bounds',
    panels: all.map((row) => draw(row, domain, widthOf(columns))),
    columns,
    legend: [
      { label: `Δx by ${first}: an upper bound`, style: neutral, mark: sighted ? 'triangle' : 'dot' },
      ...others.map((kind) => ({
        label: `nearer, by another attack (${kind}): the upper bound`,
        style: neutral,
        mark: symbols[kind],
      })),
      { label: 'rigorous lower bound', style: neutral, mark: 'line' },
      ...(local ? [{ label: 'local estimate, not a bound', style: neutral, mark: 'ring' as const }] : []),
      ...(exact ? [{ label: 'exact distance', style: neutral, mark: 'cross' as const }] : []),
    ],
    reading: `Each upright is one attacked sample of one network a regularizer (seed ${[...new Set(all.map(({ network }) => network.seed))].join(', ')}), in order of Δx; its true distance lies on it. Log scale, l2 in ${distanceUnit(all.map(({ network }) => network))}, ${attackWords(report)}. The lower bound is proved, ${by(all)}; the estimate is Lemma 1’s with the largest Jacobian norm among sampled points of the ball, so it may exceed Δx, and it may lie below a bound that another method proves.`,
    outcome: `upper bound of Δx over the lower one, median: ${all.map(said).join('; ')}.`,
  };
}

/** The mark of a point of another attack, by what that one sees. */
const symbols = { 'white-box': 'triangle', 'black-box': 'square' } as const;

const neutral = { light: '#333333', dark: '#d6d6d6', dash: 'none' };

/** The methods of the bounds, in words. */
function by(rows: readonly Row[]): string {
  const words: Record<CertificateMethod, string> = {
    lipschitz: 'by the norms of layers (Lemma 1)',
    crown: 'by linear relaxation (CROWN)',
    sdp: 'by semidefinite relaxation',
    none: 'by the outcome alone',
  };
  const methods = new Set(rows.flatMap(({ samples }) => samples.map(({ method }) => method)));
  return [...methods].map((method) => words[method]).join(' or ');
}

/** The attacked samples with a bound: that beside the attack, or else that of a certificate of the same weights. */
function bounded(network: NetworkReport): Bounded[] {
  const exact = new Map((network.exact ?? []).map(({ index, distance }) => [index, distance]));
  const own = (network.certificates ?? []).filter(({ number }) => number === network.attack?.number);
  const certificates = new Map(own.map((one) => [one.index, one]));
  return foundSamples(network)
    .flatMap(
      ({ index, distance, lower: beside, method = 'lipschitz', local = null, upper, byKind = null }): Bounded[] => {
        const certificate = certificates.get(index);
        const lower = beside ?? certificate?.lower.l2;
        if (lower === undefined || !Number.isFinite(lower)) return [];
        const own =
          beside === null ? { method: certificate!.method, local: finite(certificate!.local.l2) } : { method, local };
        const nearer = byKind !== null && upper !== null && upper < distance;
        const other = { nearer: nearer ? upper : null, nearerKind: nearer ? byKind : null };
        return [{ index, distance, lower, ...own, exact: exact.get(index) ?? null, ...other }];
      },
    )
    .sort((a, b) => a.distance - b.distance);
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function draw({ group, network, samples }: Row, domain: readonly number[], width: number): Panel {
  const stride = Math.max(1, samples.length / MOST);
  const shown = Array.from({ length: Math.min(MOST, samples.length) }, (_, rank) => ({
    ...samples[Math.floor(rank * stride)]!,
    rank,
  })).filter(({ distance }) => distance > 0);
  const { light } = markStyle(group.regularizer);
  const proved = shown.filter(({ lower }) => lower > 0);
  const r = shown.length > 20 ? 2 : 3;
  const sighted = network.attack?.kind === 'white-box';
  const half = 0.42;
  const line = { stroke: light, strokeWidth: 2 };
  return panel({
    ...framed(width, 280, [28, 8, 26, 46]),
    ariaLabel: `${group.label}: ${samples.length} samples in order of Δx, each between its lower bound and the distance found`,
    x: { domain: [-0.8, Math.max(1, shown.length - 0.2)], axis: null },
    y: { type: 'log', domain, label: null, grid: true, ticks: logTicks(domain), tickFormat: plain },
    marks: [
      Plot.ruleX(proved, { x: 'rank', y1: 'lower', y2: 'distance', ...line, strokeOpacity: 0.35, strokeWidth: 1.4 }),
      Plot.ruleY(proved, { y: 'lower', x1: ({ rank }) => rank - half, x2: ({ rank }) => rank + half, ...line }),
      Plot.dot(
        shown.filter((sample) => (sample.local ?? 0) > 0),
        { x: 'rank', y: 'local', r: r * 0.9, stroke: 'currentColor', strokeOpacity: 0.65, strokeWidth: 1 },
      ),
      Plot.dot(shown, { x: 'rank', y: 'distance', r, fill: light, symbol: sighted ? 'triangle' : 'circle' }),
      ...attackKinds.map((kind) =>
        Plot.dot(
          shown.filter(({ nearerKind }) => nearerKind === kind),
          { x: 'rank', y: 'nearer', r, fill: light, symbol: symbols[kind] },
        ),
      ),
      Plot.dot(
        shown.filter(({ exact }) => exact !== null),
        { x: 'rank', y: 'exact', r: r + 0.6, symbol: 'times', stroke: 'currentColor', strokeWidth: r > 2 ? 1.4 : 0.9 },
      ),
      Plot.dot([0], { frameAnchor: 'top-left', dx: -35, dy: -16, r: 4.5, fill: light }),
      caption(shortened(group.regularizer, width - 26, { bold: true }), { dx: -26, dy: -22, fontWeight: 600 }),
      caption(`${shown.length < samples.length ? `${shown.length} of ` : ''}${samples.length} samples, by Δx`, {
        frameAnchor: 'bottom',
        dy: 18,
      }),
    ],
  });
}

/** The smallest distance that any attack found. */
const upperOf = ({ distance, nearer }: Bounded): number => Math.min(distance, nearer ?? distance);

function said({ group, samples }: Row): string {
  const ratio = quantile(
    samples.map((one) => upperOf(one) / one.lower),
    0.5,
  );
  const estimates = samples.filter(({ local }) => local !== null);
  const over = estimates.filter(({ local, distance }) => local! > distance).length;
  const under = estimates.filter(({ local, lower }) => local! < lower).length;
  const violated = samples.filter((one) => one.lower > upperOf(one)).length;
  return `${group.label} ${number(ratio)} (n = ${samples.length}${over > 0 ? `; the estimate exceeds Δx for ${over}` : ''}${under > 0 ? `; the estimate lies below what is proved for ${under}` : ''}${violated > 0 ? `; the lower bound exceeds Δx for ${violated}, which must not be` : ''})`;
}
