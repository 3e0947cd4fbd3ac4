import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

const environment = (): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)); // of the npm that started this
  return { ...Object.fromEntries(own), NO_COLOR: '1', FORCE_COLOR: '0' };
};

/** Runs a program in a folder, to its end. It rejects with its output where the program fails. */
export const run = (cwd: string, file: string, ...args: string[]): Promise<Output> =>
  promisify(execFile)(file, args, { cwd, env: environment(), maxBuffer: 1e8 });

/** The same for the command of the Weir that is installed in the folder. */
export const weir = (cwd: string, ...args: string[]): Promise<Output> =>
  run(cwd, process.execPath, command(cwd), ...args);

/** Starts that command: as the process itself, for npx would be another one, which a signal would end in its place. */
export const startWeir = (cwd: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [command(cwd), ...args], { cwd, env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });

const command = (cwd: string): string => realpathSync(join(cwd, 'node_modules/.bin/weir'));

export function emptyFolder(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  return folder;
}

/** Lines that are not blank. */
export const linesOf = (file: string): number =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '').length;

/** Does the work, and prints the seconds that it took. */
export async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  const result = await work();
  console.log(`${name}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return result;
}
