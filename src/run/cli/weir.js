#!/usr/bin/env node
// The command as plain JavaScript: it lets Node read TypeScript, then hands over.
import { readTypeScript } from '../../core/typescript.js';

try {
  await readTypeScript();
  await import('./main.ts');
} catch (error) {
  if (error.code !== 'EMFILE') throw error;
  const message = `this process may not open as many files as it needs (${error.message})`;
  process.stderr.write(`weir: ${message}\n  → raise the limit: \`ulimit -n 4096\`\n`);
  process.exit(1);
}
