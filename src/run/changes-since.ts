import { isAbsolute } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { digestOf } from '../storage/digest.js';
import { changesOf, foreignSnapshots, moduleOf, refusal } from '../storage/identity-file.js';
import type { RunFolder } from '../storage/run-folder.js';
import { loadPipeline } from './pipeline-module.js';
import { RunIdentity, thisMachine } from './run-identity.js';

/**
 * Compares the data and code of runs with those that are there now, for a report over these runs. Of several runs with the same data and module
 * only one is compared. Nothing is written.
 *
 * @returns a sentence for each accepted change, and for each run that could not be compared
 * @throws {WeirError} names the run and its changes
 */
export async function changesSince(
  folders: readonly RunFolder[],
  { acceptChanges = false }: { readonly acceptChanges?: boolean },
): Promise<string[]> {
  const compared = new Set<string>();
  const notes: string[] = [];
  for (const folder of folders) {
    try {
      const foreign = foreignSnapshots(folder);
      if (foreign.length > 0 && !acceptChanges) throw refusal(folder, foreign);
      notes.push(...foreign.map((one) => noteOf(folder, one)));
      const changes = await changesSinceThen(folder, compared);
      if (changes.length > 0 && !acceptChanges) throw refusal(folder, changes);
      notes.push(...changes.map((change) => noteOf(folder, change)));
    } catch (error) {
      if (!(error instanceof NotCompared)) throw error;
      notes.push(`${folder.shown} could not be compared with its data and module: ${error.message}.`);
    }
  }
  return notes;
}

const noteOf = (folder: RunFolder, change: string): string =>
  `Of ${folder.shown}, when this report was written: ${change}.`;

/** Data or module are missing, so nothing could be compared; the run itself is intact. */
class NotCompared extends WeirError {}

async function changesSinceThen(folder: RunFolder, compared: Set<string>): Promise<readonly string[]> {
  const module = await orNotCompared(() => moduleOf(folder));
  const { changes, identity } = await changesOf(folder, module);
  if (changes.length > 0 || identity === undefined) return changes;
  const { config, inputs } = identity;
  const paths = Object.values(config).filter((value) => typeof value === 'string' && isAbsolute(value));
  const key = digestOf([identity.module, Object.values(inputs), paths]);
  if (compared.has(key)) return [];
  compared.add(key);
  const now = await orNotCompared(async () => {
    const pipeline = await loadPipeline(module);
    const taken = await RunIdentity.of(folder, await thisMachine(), { acceptChanges: true });
    await taken.check(pipeline);
    return taken;
  });
  return now.changes;
}

async function orNotCompared<T>(compare: () => T | Promise<T>): Promise<T> {
  try {
    return await compare();
  } catch (error) {
    throw new NotCompared((error as Error).message, undefined, { cause: error });
  }
}
