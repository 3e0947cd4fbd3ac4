import { join, relative } from 'node:path';
import { Command } from 'commander';
import { WeirError } from '../../core/errors.js';
import { loadTensorFlow } from '../../learn/device/tf.js';
import { collectReport } from '../collect/collect.js';
import type { RunFolder } from '../folder.js';
import { controlAt, type MonitorAt } from '../monitor/monitor-at.js';
import { folderOf, isDone, moduleOf, type Part, partsOf } from '../reproduction.js';
import { resumable, runSession } from '../session.js';
import { tryOut } from '../try-out.js';
import { Watcher } from '../watcher.js';
import { folderOption, type RunningSettings, runningOptions, seedOption, setOption } from './options.js';

interface Settings extends RunningSettings {
  readonly set: string[];
  readonly seed: number;
  readonly run?: string;
  readonly only?: string[];
}

/** `weir reproduce NAME`: all runs of an experiment of the paper, and one report over them; asked again it goes on. */
export function reproduceCommand(): Command {
  const command = new Command('reproduce')
    .description('run an experiment of the paper, all its settings, regularisers and seeds, and report it')
    .argument('<experiment>', 'name of a pipeline, such as xor or mnist, or the path of a module')
    .addOption(setOption())
    .addOption(seedOption())
    .addOption(folderOption().default(undefined, 'runs/reproduce-NAME'))
    .option('--only <setting...>', 'these settings only');
  for (const option of runningOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      '\nExample:\n  weir reproduce xor\n  weir reproduce mnist --set seeds=3 --set attacked=100\nStopped or killed, the same command goes on where it was.',
    )
    .action(async (name: string, settings: Settings) => {
      const slow = (await loadTensorFlow()).kind === 'wasm';
      const into = settings.run ?? join('runs', `reproduce-${name.replace(/^.*[/\\]|\.\w+$/g, '')}`);
      const parts = await partsOf({
        ...{ module: moduleOf(name), seed: settings.seed, into, set: settings.set },
        fallback: (pipeline) => (slow ? pipeline.fallback : {}),
      });
      const monitor = controlAt(settings); // one address for all its runs: a page that is open goes over to the next
      const folders: RunFolder[] = [];
      for (const part of chosen(parts, settings.only)) {
        const folder = await brought(part, settings, monitor);
        if (folder === undefined) {
          process.stdout.write(`stopped; the same command goes on\n${into}\n`);
          process.exitCode = resumable;
          return;
        }
        folders.push(folder);
      }
      const { writeReport } = await import('../../observe/report/write.js');
      const { html } = await writeReport(join(into, 'report'), collectReport(folders));
      process.stdout.write(`report  ${relative(process.cwd(), html)}\n${into}\n`);
    });
}

/** Brings one run to its end. @returns nothing when it was stopped before */
async function brought(part: Part, settings: Settings, monitor: MonitorAt | undefined): Promise<RunFolder | undefined> {
  const { pipeline, config, seed } = part;
  const folder = folderOf(part);
  if (isDone(folder, part)) return folder;
  await tryOut(pipeline, config, seed);
  const watch = new Watcher(folder, pipeline);
  try {
    const outcome = await runSession({ folder, pipeline, options: { ...settings, watch }, monitor });
    return outcome === 'done' ? folder : undefined;
  } finally {
    watch.close();
  }
}

/** Those settings of the experiment itself; what it builds upon goes before in any case. */
function chosen(parts: readonly Part[], only: readonly string[] | undefined): readonly Part[] {
  if (only === undefined) return parts;
  const own = parts.filter(({ module }) => module === parts.at(-1)!.module);
  const odd = only.find((setting) => !own.some((part) => part.setting === setting));
  if (odd === undefined) return parts.filter((part) => !own.includes(part) || only.includes(part.setting));
  const known = own.map(({ setting }) => `'${setting}'`).join(', ');
  throw new WeirError(`there is no setting '${odd}'`, `settings of this experiment: ${known}`);
}
