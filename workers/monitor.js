// Serves the monitor and the control socket of a run. Plain JavaScript, as the command is: it lets Node read TypeScript in this thread.
import { readTypeScript } from '../src/run/typescript.js';

await readTypeScript();
const { serveRun } = await import('../src/monitor/thread.ts');
await serveRun();
