#!/usr/bin/env node
// The command as plain JavaScript: it lets Node read TypeScript where Weir runs from its sources, then hands over.
import { readFileSync } from 'node:fs';
import { extension, readTypeScript } from '../storage/typescript.js';

const LEAST = 128; // files that are open at once while modules are read; past that, main.ts says what went wrong

const most = openFiles();
if (most < LEAST) {
  process.stderr.write(`weir: this process may open ${most} files at once, and needs ${LEAST} or more\n`);
  process.stderr.write('  → raise the limit: `ulimit -n 4096`\n');
  process.exit(1);
}

if (extension() === '.ts') await readTypeScript();
await import(`./main${extension()}`);

/** The system's limit, where it is known. */
function openFiles() {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}
