import { bytes, double, type Fields, joined, text, whole } from '../storage/protobuf.js';

export type Hparams = Readonly<Record<string, string | number | boolean>>;

/** What the table of hyperparameters is made of (tensorboard/plugins/hparams/plugin_data.proto), as summary values. */
export function experiment(name: string, created: number, hparams: Hparams, metrics: readonly string[]): Fields {
  const types = { string: 1, boolean: 2, number: 3 } as const;
  const keys = Object.entries(hparams).map(([key, value]) =>
    bytes(4, text(1, key), whole(4, types[typeof value as keyof typeof types])),
  );
  const tags = metrics.map((tag) => bytes(5, bytes(1, text(2, tag))));
  return data('_hparams_/experiment', bytes(2, text(6, name), double(3, created), ...keys, ...tags));
}

/** One trained network is one session. */
export function sessionStart(name: string, begun: number, hparams: Hparams): Fields {
  const entries = Object.entries(hparams).map(([key, value]) => bytes(1, text(1, key), bytes(2, protoValue(value))));
  return data('_hparams_/session_start_info', bytes(3, ...entries, text(4, name), double(5, begun)));
}

export const sessionEnd = (ended: number, done: boolean): Fields =>
  data('_hparams_/session_end_info', bytes(4, whole(1, done ? 1 : 3), double(2, ended)));

/** A google.protobuf.Value. */
function protoValue(value: string | number | boolean): Fields {
  if (typeof value === 'number') return double(2, value);
  return typeof value === 'boolean' ? whole(4, Number(value)) : text(3, value);
}

// The message lies in the tag's metadata; its tensor is a lone 0 (float32, no dimensions), as the plug-in itself writes it.
const data = (tag: string, message: Fields): Fields =>
  joined(
    text(1, tag),
    bytes(8, whole(1, 1), bytes(2, bytes(2))),
    bytes(9, bytes(1, text(1, 'hparams'), bytes(2, whole(1, 0), message))),
  );
