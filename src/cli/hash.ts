import { Command } from 'commander';
import type { Data } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { toOutput } from '../flow/terminal.js';
import { recordsOf } from '../run/run-log.js';
import { namesOf, weightsOf } from '../run/weights.js';
import { hashAll, hashWeights } from '../storage/digest.js';
import { checkOrigin } from '../storage/identity-file.js';
import { RunFolder } from '../storage/run-folder.js';
import { type RunState, readNetworkState } from '../storage/run-state.js';

/** `weir hash RUN`: SHA-256 of the newest weights of every network, or of all state and the metric log. */
export function command(): Command {
  return new Command('hash')
    .description('print the SHA-256 of a run’s newest weights, to compare two runs')
    .argument('<run>', 'folder of the run')
    .option('--all', 'include optimizer, spectra, attack results and the metric log')
    .addHelpText('after', '\nExample:\n  weir hash runs/mnist-2026-01-31-120000 --all')
    .action(async (run: string, settings: { all?: boolean }) => {
      const folder = RunFolder.open(run);
      toOutput(`${settings.all ? hashOfRun(folder) : hashOfWeights(folder)}\n`);
    });
}

/** SHA-256 of the newest state of every network, and of the metric log. @throws {WeirError} where there is no snapshot */
export function hashOfRun(folder: RunFolder): string {
  const states = [...statesOf(folder)].map(([name, { flow, update }]) => [name, { flow, update }]);
  return hashAll(Object.fromEntries(states) as Data, recordsOf(folder));
}

function hashOfWeights(folder: RunFolder): string {
  const weights = [...statesOf(folder)].flatMap(([network, state]) =>
    weightsOf(state).map(({ name, values }) => [`${network}/${name}`, values] as const),
  );
  if (weights.length === 0) {
    throw new WeirError(`the run in ${folder.path} has no weights`, 'its graph has no training step: use --all');
  }
  return hashWeights(Object.fromEntries(weights));
}

function statesOf(folder: RunFolder): Map<string, RunState> {
  const states = new Map<string, RunState>();
  for (const name of namesOf(folder)) {
    const found = readNetworkState(folder.snapshots(name));
    if (found === undefined) continue;
    checkOrigin(folder, name, found);
    states.set(name, found.state);
  }
  if (states.size > 0) return states;
  throw new WeirError(`the run in ${folder.path} has no snapshot yet`, 'wait for its first, or resume it');
}
