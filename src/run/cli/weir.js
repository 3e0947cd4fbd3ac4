#!/usr/bin/env node
// The command as plain JavaScript: it lets Node read TypeScript, then hands over.
import { register } from 'tsx/esm/api';

register();
await import('./main.ts');
