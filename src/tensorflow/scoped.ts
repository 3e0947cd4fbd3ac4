import { tf } from './device-tf.js';

/** What `work` returns, and none of the tensors that it made: `tf.tidy` for what is no tensor, whose arrays tidy would search. */
export function scoped<T>(work: () => T): T {
  const scope = tf.engine();
  scope.startScope();
  try {
    return work();
  } finally {
    scope.endScope();
  }
}
