// Runs one command after another in one process, so that TypeScript and TensorFlow are loaded once. Plain JavaScript, as weir.js is.
import { register } from 'node:module';
import { createInterface } from 'node:readline';
import { readTypeScript } from '../../src/storage/typescript.js';

await readTypeScript();
register(import.meta.resolve('./fresh-modules.js'));
const variables = { ...process.env };
const events = ['uncaughtException', 'beforeExit', 'SIGINT', 'SIGTERM', 'SIGUSR1'];
let count = 0;

// Each line of standard input is a command: its arguments, and the text that follows its output.
for await (const line of createInterface({ input: process.stdin })) {
  const { args, end } = JSON.parse(line);
  const before = events.map((event) => [event, process.listeners(event)]);
  process.argv.splice(2, Infinity, ...args);
  process.exitCode = undefined;
  await import(`../../src/cli/main.ts?call=${count++}`); // this module is run anew, and not those that it imports
  const status = process.exitCode ?? 0;
  for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
  for (const [event, listeners] of before) {
    for (const added of process.listeners(event)) if (!listeners.includes(added)) process.off(event, added);
  }
  process.stdout.removeAllListeners('error');
  process.stdout.write(end);
  process.stderr.write(`${end}${status}\n`);
}
process.exit();
