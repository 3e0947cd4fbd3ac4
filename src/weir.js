#!/usr/bin/env node
// The command: from the sources in a checkout, else as the package holds it.
import { existsSync } from 'node:fs';

const sources = new URL('./cli/weir.js', import.meta.url);
await import(existsSync(sources) ? sources.href : new URL('../dist/cli/weir.js', import.meta.url).href);
