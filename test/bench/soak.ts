import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorAt } from '../../src/monitor/access.js';
import { controlledBy } from '../../src/monitor/control.js';
import { resolveConfig } from '../../src/run/config.js';
import { loadPipeline } from '../../src/run/pipeline-module.js';
import { runSession } from '../../src/run/session.js';
import type { Watch } from '../../src/run/watch.js';
import { plannedNetworks, RunFolder } from '../../src/storage/run-folder.js';
import { tf } from '../../src/tensorflow/tf.js';
import { Monitor } from '../monitor/watched.js';
import { machine } from './compare.js';
import { courseOf } from './sides/flat.js';
import { collectGarbage } from './sides/garbage.js';

/**
 * A million updates of XOR (the `xor` pipeline: an ensemble of two networks, full batch) as a run with all about it: a snapshot every
 * three seconds, the monitor with eight viewers, two taps from outside, one of which never reads. Live tensors, active handles of the event
 * loop, open files and resident memory must have no slope beyond their noise over the second half.
 * `npm run bench -- soak [UPDATES]`.
 */
const module = 'pipelines/xor.ts';
const samples = 200;
const viewers = 8;

export async function bench([wanted = '1000000']: string[]): Promise<boolean> {
  console.log(machine());
  const updates = Number(wanted);
  const every = Math.ceil(updates / samples);
  const base = mkdtempSync(join(tmpdir(), 'weir-soak-'));
  const pipeline = await loadPipeline(module);
  const set = ['regularizers=none,rep-spectral', 'seeds=1', `epochs=${updates}`, 'burnIn=100', `logEvery=${every}`];
  const config = resolveConfig(pipeline.config, pipeline.profiles, [...set, 'iterations=4']);
  const folder = RunFolder.create(join(base, 'run'), {
    module,
    pipeline: pipeline.name,
    seed: 0,
    config,
    networks: plannedNetworks(pipeline.networks(config, 0), config),
  });
  const read: Record<'tensors' | 'active' | 'files' | 'resident', number[]> = {
    tensors: [],
    active: [],
    files: [],
    resident: [],
  };
  let viewing: ChildProcess | undefined;
  let restDue = false;
  let snapshots = 0;
  const watch: Watch = {
    network: () => undefined,
    record({ stream, number }) {
      if (stream === 'updates' && Number(number) > 0) restDue = true;
    },
    snapshot: () => snapshots++,
    warn(message) {
      if (!message.startsWith('monitor: ')) return console.log(message);
      const { url } = Monitor.in(message);
      viewing = spawn(process.execPath, ['--import', 'tsx', viewersModule, url, String(viewers)], { stdio: 'inherit' });
    },
    barrier() {
      if (!restDue || read.tensors.length >= samples) return;
      restDue = false;
      collectGarbage();
      read.tensors.push(tf.memory().numTensors);
      read.active.push(process.getActiveResourcesInfo().length);
      read.files.push(readdirSync('/proc/self/fd').length);
      read.resident.push(process.memoryUsage.rss() / 2 ** 20);
    },
    held: () => undefined,
  };
  const begun = performance.now();
  try {
    const control = controlledBy(monitorAt({ monitor: 0 }));
    const options = { snapshotEvery: 3, onSnapshotError: 'stop', watch } as const;
    await runSession({ folder, pipeline, options, control });
  } finally {
    viewing?.kill();
    rmSync(base, { recursive: true });
  }
  const seconds = (performance.now() - begun) / 1000;
  console.log(`${updates} updates in ${(seconds / 60).toFixed(1)} min, ${snapshots} snapshots, read every ${every}`);
  let flat = true;
  for (const [name, values] of Object.entries(read)) {
    const course = courseOf(values, name === 'resident' ? 2 : 0);
    flat &&= course.flat;
    const [first, last, risen, noise] = [values[0]!, values.at(-1)!, course.risen, course.noise].map((x) =>
      x.toFixed(name === 'resident' ? 1 : 0),
    );
    console.log(
      `${name}: ${first} at first, ${last} at last, ${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}; over the second half ${risen} by slope in ${noise} of noise`,
    );
  }
  console.log(`soak ratio ${flat ? '1.00' : '0.00'} (reach 1.00)`);
  return flat;
}

const viewersModule = join(import.meta.dirname, 'sides/viewers.ts');
