// Serves the monitor and the control socket of a run. Plain JavaScript, as the command is: it lets Node read TypeScript in this thread.
import { extension, readTypeScript } from '../src/storage/typescript.js';

if (extension() === '.ts') await readTypeScript();
const { serveRun } = await import(`../src/monitor/thread${extension()}`);
await serveRun();
