import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { reportToSupervisor } from '../../src/ranks/messages.js';

/** A supervisor that is killed while its rank is busy. The rank reports to it afterwards, and then writes a file: it still lives. */
const [, script, file] = process.argv;
if (process.channel === undefined) {
  const rank = spawn(process.execPath, [...process.execArgv, script!, file!], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
  });
  rank.once('message', () => process.kill(process.pid, 'SIGKILL'));
} else {
  reportToSupervisor({ kind: 'collective', calls: 1 });
  const until = performance.now() + 700;
  while (performance.now() < until); // busy as in a collective: it does not notice that the channel is closed
  for (let calls = 2; calls < 5; calls++) reportToSupervisor({ kind: 'collective', calls });
  setTimeout(() => writeFileSync(file!, 'alive'), 100);
}
