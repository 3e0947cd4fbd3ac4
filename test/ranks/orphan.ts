import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { reportToSupervisor } from '../../src/ranks/messages.js';

/** A supervisor that is killed while its rank is busy; the rank tells it something afterwards, and then writes that it still lives. */
const [, script, file] = process.argv;
if (process.channel === undefined) {
  const rank = spawn(process.execPath, [...process.execArgv, script!, file!], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
  });
  rank.once('message', () => process.kill(process.pid, 'SIGKILL'));
} else {
  reportToSupervisor({ kind: 'waits', calls: 1 });
  const until = performance.now() + 700;
  while (performance.now() < until); // as in a collective: it does not hear that the other end is closed
  for (let calls = 2; calls < 5; calls++) reportToSupervisor({ kind: 'waits', calls });
  setTimeout(() => writeFileSync(file!, 'alive'), 100);
}
