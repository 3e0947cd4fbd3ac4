import { join } from 'node:path';
import { holderOf } from '../../storage/snapshot-lock.js';
import type { Place } from '../entry.js';
import type { Ledger } from '../sweep-ledger.js';
import { writeBatch } from './batch.js';
import { arrayCalled, cancel, completing, saidOf, submit } from './commands.js';
import type { Executor, Held, Standing } from './executor.js';
import { standingOf } from './states.js';

interface Settings {
  /** The sweep's folder, which all nodes see by this path. */
  readonly folder: string;
  readonly sweep: string;
  readonly ledger: Pick<Ledger, 'count'>;
  readonly options: readonly string[];
  readonly log: (held: Held) => string;
  /** How many tasks of an array run at once. */
  readonly jobs?: number;
  readonly threads?: number;
  /** Handed to `sbatch`, such as `--time=4:00:00`. */
  readonly slurmOptions: readonly string[];
}

type Task = Extract<Place, { readonly kind: 'slurm' }>;

const most = 1000; // tasks of an array: what Slurm takes where nobody has set MaxArraySize
const [soonest, latest] = [1000, 15_000]; // milliseconds from one question to the next: longer while nothing changes

/**
 * Runs jobs as tasks of arrays of Slurm, which decides when and where. `sacct` is the truth about them.
 *
 * The sweep's process only submits and looks: asked to stop it leaves the tasks to Slurm, and the next one finds them again. An array
 * that was submitted in the moment in which that process was killed is found by its name.
 */
export class SlurmArrays implements Executor {
  readonly onStop = 'leave';
  readonly room = most;
  private wait = soonest;
  private before = '';

  constructor(private readonly settings: Settings) {}

  async start(held: readonly Held[], placed: (held: Held, place: Place) => void): Promise<void> {
    const { folder, sweep, ledger, options, log, jobs, threads, slurmOptions } = this.settings;
    const batch = `weir-${sweep.slice(0, 8)}-${ledger.count('batches')}`;
    for (const [index, one] of held.entries()) placed(one, { kind: 'slurm', batch, index });
    const tasks = held.map((one) => ({ folder: one.folder, log: log(one) }));
    const script = writeBatch(join(folder, 'slurm'), {
      name: batch,
      tasks,
      options,
      ...(threads !== undefined && { threads }),
    });
    const array = await submit(script, [
      ...[`--job-name=${batch}`, `--array=0-${held.length - 1}${jobs === undefined ? '' : `%${jobs}`}`],
      ...[`--output=${join(folder, 'logs', '%x-%a.out')}`, `--cpus-per-task=${threads ?? 1}`],
      ...slurmOptions,
    ]);
    for (const [index, one] of held.entries()) placed(one, { kind: 'slurm', batch, index, id: `${array}_${index}` });
    this.wait = soonest;
  }

  async look(held: readonly Held[]): Promise<Standing[]> {
    try {
      return await this.ask(held);
    } catch (error) {
      // Its controller may be away for a while; the tasks go on without.
      this.wait = latest;
      return held.map(() => ({ state: 'running', note: `${(error as Error).message}; asking again` }));
    }
  }

  private async ask(held: readonly Held[]): Promise<Standing[]> {
    const found = await this.submitted(held);
    const ids = held.map((one) => {
      const place = placeOf(one);
      return place?.id ?? (place && found.has(place.batch) ? `${found.get(place.batch)}_${place.index}` : undefined);
    });
    const arrays = [...new Set(ids.flatMap((id) => (id === undefined ? [] : [id.split('_')[0]!])))];
    const said = await saidOf(arrays);
    const now = JSON.stringify([...said]);
    this.wait = now === this.before ? Math.min(latest, 1.5 * this.wait) : soonest;
    this.before = now;
    const standings = held.map((one, i): Standing => {
      const id = ids[i];
      if (id === undefined) return withoutTask(one);
      const task = said.get(id);
      const standing = task === undefined ? unheard(one) : standingOf(task, id);
      if (standing.state !== 'running' || placeOf(one)?.id !== undefined) return standing;
      return { ...standing, place: { ...placeOf(one)!, id } };
    });
    if (standings.every(({ state }) => state === 'running')) return standings;
    // A job is not begun anew while what ran it is still being ended: its folder would be found in use.
    const still = await completing(arrays);
    return standings.map((standing, i) => (still.has(ids[i] ?? '') ? { state: 'running' } : standing));
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.wait));
  }

  async stop(held: readonly Held[]): Promise<void> {
    const ids = held.flatMap((one) => placeOf(one)?.id ?? []);
    await cancel(ids, '--state=PENDING');
    await cancel(ids, '--state=RUNNING', '--batch', '--signal=USR2'); // our script has them stop after a snapshot
  }

  /** Arrays whose number was not noted, by name: those that were submitted all the same. */
  private async submitted(held: readonly Held[]): Promise<Map<string, string>> {
    const lost = new Set(held.flatMap((one) => (placeOf(one)?.id === undefined ? (placeOf(one)?.batch ?? []) : [])));
    const found = new Map<string, string>();
    for (const batch of lost) {
      const array = await arrayCalled(batch);
      if (array !== undefined) found.set(batch, array);
    }
    return found;
  }
}

function placeOf({ entry }: Held): Task | undefined {
  const place = entry.lease?.place;
  return place?.kind === 'slurm' ? place : undefined;
}

/** A job that was claimed and never submitted, or that runs as a process of this machine. */
function withoutTask({ folder }: Held): Standing {
  return holderOf(folder)?.alive === true ? { state: 'running' } : { state: 'gone', reason: 'not submitted' };
}

/** Slurm does not know the task yet, or no more. */
function unheard({ entry, folder }: Held): Standing {
  const young = Date.now() - entry.changed < 60_000;
  if (young || holderOf(folder)?.alive === true) return { state: 'running' };
  return { state: 'gone', reason: 'Slurm knows nothing of it any more' };
}
