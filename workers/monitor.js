// Serves the monitor and the control socket of a run. Plain JavaScript, as the command is: it lets Node read TypeScript in this thread.
import { readTypeScript } from '../src/core/typescript.js';

await readTypeScript();
const { serveRun } = await import('../src/run/monitor/thread.ts');
await serveRun();
