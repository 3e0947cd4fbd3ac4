import { WeirError } from '../flow/errors.js';
import type { MetricRecord } from '../storage/metrics-log.js';

export interface Choice {
  /** Take the records of this stream alone. */
  readonly stream?: string | undefined;
  readonly network?: string | undefined;
}

/** The records of a log that were asked for, anew each time. */
export class Chosen {
  private readonly streams = new Set<string>();
  private readonly networks = new Set<string>();

  constructor(
    private readonly records: () => Iterable<MetricRecord>,
    private readonly choice: Choice,
  ) {}

  *[Symbol.iterator](): Generator<MetricRecord> {
    const { stream, network } = this.choice;
    for (const record of this.records()) {
      this.streams.add(String(record.stream));
      this.networks.add(String(record.network));
      if (stream !== undefined && record.stream !== stream) continue;
      if (network !== undefined && record.network !== network) continue;
      yield record;
    }
  }

  /** The error for where there were none. */
  get nothing(): WeirError {
    if (this.streams.size === 0) {
      return new WeirError('the metric log is empty', 'export it when the run has got under way');
    }
    const { stream, network } = this.choice;
    const asked = [stream && `stream '${stream}'`, network && `network '${network}'`].filter(Boolean).join(' and ');
    return new WeirError(
      `the metric log has nothing of ${asked}`,
      `its streams are ${[...this.streams].join(', ')}; its networks ${[...this.networks].join(', ')}`,
    );
  }
}
