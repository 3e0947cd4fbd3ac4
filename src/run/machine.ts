import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import type { Machine } from '../storage/identity.js';
import { processGroup } from '../tensorflow/collectives/process-group.js';
import { usefulFeatures } from '../tensorflow/install/release.js';
import { loadTensorFlow } from '../tensorflow/tf.js';

/** The runtime, threads and processor of this process; loads TensorFlow first. */
export async function thisMachine(): Promise<Machine> {
  const { kind, device, version, threads } = await loadTensorFlow();
  return {
    runtime: `${kind === 'native' ? 'TensorFlow' : 'TensorFlow.js on WebAssembly'} ${version} on the ${device}`,
    threads,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    features: usefulFeatures(),
    node: process.versions.node,
    ranks: processGroup().ranks,
  };
}

/** The commit of the repository of a file, with '-dirty' where files differ from it; undefined where there is none. */
export function commitOf(file: string): string | undefined {
  const asked = ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'];
  const { status, stdout } = spawnSync('git', asked, { cwd: dirname(file), encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout.trim() : undefined;
}
