import { WeirError } from '../flow/errors.js';
import { networkFileSystem } from '../storage/file-system.js';

/**
 * Refuses a folder for a ledger that several machines mount: locks and mapped memory are not shared over such file systems.
 *
 * @throws {WeirError} that names the file system
 */
export function refuseNetwork(folder: string, type?: (folder: string) => number): void {
  const name = networkFileSystem(folder, type);
  if (name === undefined) return;
  throw new WeirError(
    `the ledger ${folder} would lie on ${name}, over which processes cannot lock it`,
    'keep it on a disk of this machine: --ledger FOLDER',
  );
}
