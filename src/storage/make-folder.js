// Plain JavaScript: it is needed before Node can read TypeScript.
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export function makeFolder(path, mode = 0o777) {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (error.code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (error.code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    try {
      mkdirSync(path, { mode });
    } catch (again) {
      if (again.code !== 'EEXIST') throw again; // another process made it meanwhile
    }
  }
}
