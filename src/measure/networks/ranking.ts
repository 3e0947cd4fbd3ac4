import { unregularized } from '../../plot/transfer.js';
import type { Group } from './report-groups.js';
import { type GroupSummary, summariseGroup } from './report-summary.js';

/** A group of one setting, with what it is ranked by. */
export interface Ranked {
  readonly group: Group;
  readonly summary: GroupSummary;
  /** Mean Δx over its networks. */
  readonly distance: number;
}

/** The groups of one setting that were attacked, the largest mean distance first. */
export interface Ranking {
  readonly pipeline: string;
  readonly setting: string;
  readonly ranked: readonly Ranked[];
}

/** The groups of a report by pipeline and setting, those with a distance in order. */
export function ranked(all: readonly Group[]): Ranking[] {
  const places = new Map(all.map(({ pipeline, setting }) => [`${pipeline}\n${setting}`, { pipeline, setting }]));
  return [...places.values()].map(({ pipeline, setting }) => ({
    ...{ pipeline, setting },
    ranked: all
      .filter((group) => group.pipeline === pipeline && group.setting === setting)
      .flatMap((group): Ranked[] => {
        const summary = summariseGroup(group);
        const distance = summary.meanDistance.mean;
        return distance === null ? [] : [{ group, summary, distance }];
      })
      .sort((a, b) => b.distance - a.distance),
  }));
}

/** Whom the best of a setting is held against: the second, and the unregularized one where that is another. */
export function rivals({ ranked: [best, ...others] }: Ranking): { readonly best: Ranked; readonly other: Ranked }[] {
  if (best === undefined) return [];
  const baseline = others.find(({ group }) => unregularized(group.regularizer));
  const second = others[0] === baseline ? undefined : others[0];
  return [second, baseline].flatMap((other) => (other === undefined ? [] : [{ best, other }]));
}
