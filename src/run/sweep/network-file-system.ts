import { statfsSync } from 'node:fs';

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

/** The name of the network file system that holds the folder; undefined where it is on a disk of this machine. */
export function networkFileSystem(folder: string): string | undefined {
  return remote[statfsSync(folder).type >>> 0];
}
