import { statfsSync } from 'node:fs';

/** Linux's numbers of file systems that several machines mount; on others none is known. */
const network: Readonly<Record<number, string>> = {
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

/** Of those that several machines may mount: FUSE, 9P, OCFS2, GFS2. */
const perhaps = new Set([1702057286, 16914839, 1952539503, 18225520]);

const typeOf = (folder: string): number => statfsSync(folder).type;

/** The name of the file system where it is one that several machines mount. */
export const networkFileSystem = (folder: string, type = typeOf): string | undefined => network[type(folder) >>> 0];

/** Whether no other machine can write there. */
export function isOwnDisk(folder: string): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return networkFileSystem(folder) === undefined && !perhaps.has(typeOf(folder) >>> 0);
  } catch {
    return false;
  }
}
