import { loadPipeline } from '../../run/load-module.js';
import type { Pipeline } from '../../run/run-pipeline.js';
import { resumable } from '../../run/session.js';
import { RunFolder } from '../../storage/folder.js';
import type { Executor, Held, Standing } from './executor.js';
import { LocalProcesses } from './sweep-local.js';

/** Brings a run to its end in this process. */
export type Work = (folder: RunFolder, pipeline: Pipeline, stopped: () => boolean) => Promise<'done' | 'stopped'>;

/** Runs jobs in this process, one after another: the terminal and the monitor are those of the run under way. */
export class InProcess implements Executor {
  readonly onStop = 'stop';
  readonly room = 1;
  /** Why the job that failed did. */
  failure: unknown;
  private job: string | undefined;
  private result: Standing | undefined;
  private over: Promise<void> = Promise.resolve();
  private stopped = false;
  private readonly others = new LocalProcesses({ room: 0, log: () => '' });

  constructor(private readonly work: Work) {}

  async start(held: readonly Held[]): Promise<void> {
    for (const one of held) {
      this.job = one.job.name;
      this.result = undefined;
      this.over = this.run(one).then((result) => {
        this.result = result;
      });
    }
  }

  async look(held: readonly Held[]): Promise<Standing[]> {
    const mine = this.result ?? { state: 'running' };
    const others = await this.others.look(held); // jobs that an earlier process of the sweep had started
    return held.map(({ job }, i) => (job.name === this.job ? mine : others[i]!));
  }

  async pause(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.over, new Promise((resolve) => (timer = setTimeout(resolve, 1000)))]);
    clearTimeout(timer);
    if (this.result !== undefined || this.job === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async stop(): Promise<void> {
    this.stopped = true; // a run under way has heard the signal itself
  }

  private async run({ job, folder }: Held): Promise<Standing> {
    try {
      const outcome = await this.work(RunFolder.open(folder), await loadPipeline(job.module), () => this.stopped);
      return { state: 'ended', status: outcome === 'done' ? 0 : resumable };
    } catch (error) {
      this.failure = error;
      return { state: 'ended', status: 1, reason: (error as Error)?.message ?? String(error) };
    }
  }
}
