import { statfsSync } from 'node:fs';
import { WeirError } from '../../core/errors.js';

/** Linux's numbers of file systems that several machines mount; on others none is known. */
const remote: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  198183888: 'Lustre',
  1196443219: 'GPFS',
  12805120: 'Ceph',
  428016422: 'BeeGFS',
  1397113167: 'AFS',
};

/**
 * Refuses a folder for a ledger that several machines mount: locks and mapped memory are not shared over such file systems.
 *
 * @throws {WeirError} that names the file system
 */
export function refuseNetwork(
  folder: string,
  type: (folder: string) => number = (path) => statfsSync(path).type,
): void {
  const name = remote[type(folder) >>> 0];
  if (name === undefined) return;
  throw new WeirError(
    `the ledger ${folder} would lie on ${name}, over which processes cannot lock it`,
    'keep it on a disk of this machine: --ledger FOLDER',
  );
}
