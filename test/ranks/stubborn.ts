import { localRanksOf } from '../../src/ranks/rendezvous.js';
import { errorOf, supervise } from '../../src/ranks/supervisor.js';
import { rankVariable } from '../../src/tensorflow/collectives/rendezvous.js';

/** A command whose ranks (two, or the one of its environment) do nothing but survive SIGTERM and SIGINT. Prints the process of each. */
if (process.env[rankVariable]) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => process.stderr.write(`heard ${signal}\n`));
  process.once('disconnect', () => setTimeout(() => process.exit(), 20_000)); // after a failed test
  setInterval(() => undefined, 1000);
  process.stderr.write(`process ${process.pid}\n`);
} else {
  const local = localRanksOf(process.env.WEIR_RANKS ? undefined : 2, process.env)!;
  const verdict = await supervise({ local, args: [], synchronized: false, wait: 5, patience: 60 });
  process.stderr.write(`${errorOf(verdict)?.message}\n`);
  process.exitCode = verdict.status;
}
