import { Worker } from 'node:worker_threads';

const looks = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { cells, names, seconds, pid } = workerData;
const at = new Int32Array(cells);
let [count, still] = [-1, 0];
setInterval(() => {
  const now = Atomics.load(at, 2);
  still = now === count ? still + 1 : 0;
  count = now;
  if (still < seconds) return;
  writeSync(2, names[at[0]] + ': seed ' + at[1] + ' hangs: no answer for ' + seconds + ' s\\n');
  process.kill(pid, 'SIGKILL');
}, 1000);
`;

/** Ends this process, and names the input, where one takes so many seconds: a loop without end cannot be left otherwise. */
export function watchdog(
  names: readonly string[],
  seconds: number,
): { begin(target: number, seed: number): void; end(): void } {
  const at = new Int32Array(new SharedArrayBuffer(12));
  const worker = new Worker(looks, { eval: true, workerData: { cells: at.buffer, names, seconds, pid: process.pid } });
  return {
    begin(target, seed) {
      at[0] = target;
      at[1] = seed;
      Atomics.add(at, 2, 1);
    },
    end: () => void worker.terminate(),
  };
}
