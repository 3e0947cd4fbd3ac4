import type { After, Before, GraphPlan, SchedulePlan, TrialPlan } from './plan.js';
import { trial } from './trial.js';

/** A trial that fails, made as small as it goes while it still fails in the same way. */
export interface Shrunk {
  readonly plan: TrialPlan;
  readonly faults: readonly string[];
  /** Trials that it took. */
  readonly tries: number;
}

/** The kind of a fault: its words without its numbers, and without the session that it is of. */
export const kindOf = (fault: string): string =>
  fault
    .replace(/^(session \d+|undisturbed): /, '')
    .replace(/[\w$]*\d[\w$ ]*/g, 'n')
    .slice(0, 60);

/** Makes a failing trial smaller, a part at a time, while its first fault stays of one kind. */
export async function shrunk(plan: TrialPlan, most = 400): Promise<Shrunk> {
  let tries = 1;
  let smallest = { plan, faults: (await trial(plan)).faults };
  if (smallest.faults.length === 0) return { ...smallest, tries };
  const kind = kindOf(smallest.faults[0]!);
  for (let again = true; again; ) {
    again = false;
    for (const candidate of smaller(smallest.plan)) {
      if (tries >= most) return { ...smallest, tries };
      tries++;
      const { faults, refused } = await trial(candidate);
      if (refused !== undefined || faults.length === 0 || kindOf(faults[0]!) !== kind) continue;
      smallest = { plan: candidate, faults };
      again = true;
      break;
    }
  }
  return { ...smallest, tries };
}

/** Plans with one thing less, the largest leaps first. */
function* smaller({ graph, schedule }: TrialPlan): Generator<TrialPlan> {
  for (const one of smallerGraphs(graph)) yield { graph: one, schedule };
  for (const one of smallerSchedules(schedule)) yield { graph, schedule: one };
}

function* smallerGraphs(graph: GraphPlan): Generator<GraphPlan> {
  for (const name of Object.keys(graph.branches)) {
    const { [name]: _, ...branches } = graph.branches;
    if (Object.keys(branches).length > 0) yield { ...graph, branches };
  }
  for (const before of without<Before>(graph.before)) yield { ...graph, before };
  for (const [name, steps] of Object.entries(graph.branches))
    for (const fewer of without<After>(steps)) yield { ...graph, branches: { ...graph.branches, [name]: fewer } };
  if (graph.items > 1) yield { ...graph, items: graph.items >> 1 };
  if (graph.items > 1) yield { ...graph, items: graph.items - 1 };
  if (graph.samples > 1) yield { ...graph, samples: 1 };
  if (graph.accumulate > 1) yield { ...graph, accumulate: 1 };
}

function* smallerSchedules(schedule: SchedulePlan): Generator<SchedulePlan> {
  for (const sessions of without(schedule.sessions)) yield { ...schedule, sessions };
  for (const [i, blows] of schedule.sessions.entries())
    for (const fewer of without(blows)) yield { ...schedule, sessions: schedule.sessions.with(i, fewer) };
  const { stalls, drift } = schedule.weather;
  if (stalls > 0 || drift > 0.01) yield { ...schedule, weather: { drift: 0.01, stalls: 0, stall: 0 } };
  if (schedule.short > 0) yield { ...schedule, short: 0 };
  for (const [i, blows] of schedule.sessions.entries())
    for (const [j, blow] of blows.entries()) {
      for (const at of [blow.at >> 1, blow.at - 1])
        if (at >= 1 && at < blow.at)
          yield { ...schedule, sessions: schedule.sessions.with(i, blows.with(j, { ...blow, at })) };
    }
}

/** The list without one of its members. */
function* without<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < list.length; i++) yield list.toSpliced(i, 1);
}

/** A failing trial as a test that can be put into the suite. */
export const asTest = (name: string, plan: TrialPlan): string =>
  `test('${name}', async () => {\n  expect((await trial(${JSON.stringify(plan)})).faults).toEqual([]);\n});`;
