// Serves the monitor and the control socket of a run. Plain JavaScript, as the command is: it lets Node read TypeScript in this thread.
import { register } from 'tsx/esm/api';

register();
const { serveRun } = await import('../src/run/monitor/thread.ts');
await serveRun();
