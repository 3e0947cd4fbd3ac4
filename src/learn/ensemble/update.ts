import type { Update } from '../learn-update.js';

/** What the training step of an ensemble says after an update: numbers are means over the members. */
export interface EnsembleUpdate extends Update {
  /** The same numbers of one member; the weights are still everyone's. */
  of(member: number): Pick<Update, 'loss' | 'epochLoss' | 'epochAccuracy'>;
}
