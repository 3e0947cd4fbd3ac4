import { spawn } from 'node:child_process';

/** How a command ended. `status` is null where it could not be started or was killed. */
export interface CommandResult {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a command to its end without holding up the event loop; a command that does not exist is an outcome too. */
export function runCommand(
  command: readonly [string, ...string[]],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, errors] = ['', ''];
    const stop = () => child.kill('SIGTERM');
    process.once('exit', stop); // nothing is left running behind a set-up that was stopped
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('error', (error) => {
      process.removeListener('exit', stop);
      resolve({ status: null, output, errors: String(error) });
    });
    child.on('close', (status) => {
      process.removeListener('exit', stop);
      resolve({ status, output, errors });
    });
  });
}

/** The last line of a command's complaint that says something. */
export function lastLine({ errors, output }: CommandResult): string {
  const lines = (text: string) => text.split('\n').map((line) => line.trim()).filter((line) => line !== ''); // biome-ignore format: one idea
  return lines(errors).at(-1) ?? lines(output).at(-1) ?? 'it said nothing';
}
