import { randomBytes } from 'node:crypto';
import type { Listening } from './door.js';

/** How a run is reached: by its socket in any case, and where `listening` says besides. */
export interface MonitorAt {
  readonly token: string;
  /** The port that was had stays in it, for the next run of the command. */
  listening: Listening | undefined;
}

interface Settings {
  readonly monitor?: number | true;
  readonly monitorAddress?: string;
}

/** As the options of a command ask for it; one token for all runs of the command. */
export function monitorAt({ monitor, monitorAddress }: Settings): MonitorAt {
  const token = randomBytes(24).toString('base64url');
  if (monitor === undefined && monitorAddress === undefined) return { token, listening: undefined };
  const port = typeof monitor === 'number' ? monitor : undefined;
  return { token, listening: { port, address: monitorAddress ?? '127.0.0.1' } };
}

/** The same of a command that can do without: undefined with `--no-control`. */
export const controlAt = (settings: Settings & { readonly control: boolean }): MonitorAt | undefined =>
  settings.control ? monitorAt(settings) : undefined;
