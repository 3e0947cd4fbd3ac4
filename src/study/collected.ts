import { cpus, totalmem } from 'node:os';
import type { NetworkReport } from '../measure/networks/record.js';
import { collectReport } from '../run/collect/collect.js';
import type { RunFolder } from '../storage/run-folder.js';
import { decisive, type StudyResult } from './results.js';

/** The result of a finished run of a study. @param folders keys of its config that are folders of data */
export function resultOf(
  folder: RunFolder,
  { experiment, setting, seed }: Pick<StudyResult, 'experiment' | 'setting' | 'seed'>,
  folders: readonly string[],
): StudyResult {
  const report = collectReport([folder]);
  const [made] = report.provenance ?? [];
  const seconds = report.networks.flatMap((network) => network.seconds ?? []);
  return {
    experiment,
    setting,
    seed,
    config: decisive(folder.started.config, folders),
    made: {
      weir: folder.started.weir,
      commit: made?.commit ?? '',
      machine: [machine, made?.runtime, made?.threads && `${made.threads} threads`].filter(Boolean).join('; '),
      command: report.command ?? '',
      data: made?.data ?? [],
      seconds: seconds.length > 0 ? Math.max(...seconds) : null,
      at: folder.started.createdAt,
    },
    networks: report.networks.map((network): NetworkReport => ({ ...network, setting })),
  };
}

const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
