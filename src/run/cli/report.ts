import { dirname, join, relative } from 'node:path';
import { Command } from 'commander';
import { toOutput } from '../../core/terminal.js';
import { reportJson } from '../../observe/report/json.js';
import { collectReport } from '../collect/collect.js';
import { RunFolder } from '../folder.js';
import { changesSince } from '../identity/changes-since.js';
import { begunIn, readPlan } from '../sweep/plan.js';
import { acceptOption, readAllOption } from './options.js';

/** `weir report RUN…`: one report over the given runs, as far as they have come. */
export function reportCommand(): Command {
  return new Command('report')
    .description('write the report of one run, or one over several')
    .argument('<run...>', 'folders of runs, or of sweeps')
    .option('--json', 'print every number instead')
    .addOption(acceptOption())
    .addOption(readAllOption())
    .option('--out <folder>', 'where to write it (default: the folder `report` of the first run)')
    .addHelpText('after', '\nExample:\n  weir report runs/mnist-seed0 runs/mnist-seed1 --out comparison')
    .action(async (runs: string[], settings: { json?: boolean; out?: string; acceptChanges?: boolean }) => {
      const paths = runs.flatMap((path) => {
        const plan = readPlan(path);
        return plan === undefined ? [path] : begunIn(path, plan);
      });
      const folders = (paths.length > 0 ? paths : runs).map((path) => RunFolder.open(path));
      process.env.CUDA_VISIBLE_DEVICES = '-1'; // what it compares needs no GPU, and a run may want it
      const changes = await changesSince(folders, settings);
      const collected = collectReport(folders);
      const report = { ...collected, notes: [...collected.notes, ...changes] };
      if (settings.json) {
        toOutput(`${reportJson(report)}\n`);
        return;
      }
      const { writeReport } = await import('../../observe/report/write.js');
      const { html, json, figures } = await writeReport(settings.out ?? join(runs[0]!, 'report'), report);
      toOutput(
        `${figures.length} pictures in ${shown(join(dirname(html), 'figures'))}\n${shown(json)}\n${shown(html)}\n`,
      );
    });
}

const shown = (path: string): string => relative(process.cwd(), path) || path;
