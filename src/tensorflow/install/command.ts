import { spawn } from 'node:child_process';

/** The result of a command. `status` is null where it could not be started or was killed. */
export interface CommandResult {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a command to its end without blocking the event loop. A command that does not exist gives a result too. */
export function runCommand(
  command: readonly [string, ...string[]],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, errors] = ['', ''];
    const stop = () => child.kill('SIGTERM');
    process.once('exit', stop); // a set-up that is stopped leaves no process behind
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

/** The last line of a command's output that is not empty, of standard error first. */
export function lastLine({ errors, output }: CommandResult): string {
  const lines = (text: string) => text.split('\n').map((line) => line.trim()).filter((line) => line !== ''); // biome-ignore format: one idea
  return lines(errors).at(-1) ?? lines(output).at(-1) ?? 'it said nothing';
}
