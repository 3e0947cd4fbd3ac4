import { spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskFull, SetUpFailure, type SetUpListener } from './progress.js';
import type { Wheel } from './release.js';

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
function lastLine({ errors, output }: CommandResult): string {
  const lines = (text: string) => text.split('\n').map((line) => line.trim()).filter((line) => line !== ''); // biome-ignore format: one idea
  return lines(errors).at(-1) ?? lines(output).at(-1) ?? 'it said nothing';
}

type Pip = readonly [string, ...string[]];

const candidates: readonly Pip[] = [['python3', '-m', 'pip'], ['pip3'], ['pip'], ['python', '-m', 'pip']];

/** Finds pip, which has the user's index, proxy and certificates. */
export async function findPip(): Promise<{ pip: Pip; version: string }> {
  for (const pip of candidates) {
    const outcome = await runCommand([...pip, '--version']);
    if (outcome.status === 0) return { pip, version: outcome.output.split(' from ')[0]!.trim() };
  }
  throw new SetUpFailure(
    'there is no pip (python3 -m pip, pip3 and pip were tried), which downloads TensorFlow',
    'install it (Debian and Ubuntu: apt install python3-pip), or name a folder that has libtensorflow with WEIR_LIBTENSORFLOW',
  );
}

/** Downloads one wheel into `folder` and returns its path. The Python of this machine may be of another version than the wheel's. */
export async function download(pip: Pip, wheel: Wheel, arch: string, folder: string, listen: SetUpListener) {
  const temporary = join(folder, 'tmp');
  const target = join(folder, 'wheel');
  await rm(target, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  const machine = arch === 'arm64' ? 'aarch64' : 'x86_64';
  const total = wheel.download;
  let most = 0; // pip moves the file at the end: the count must not fall
  const report = (done: number) => {
    most = Math.max(most, Math.min(total, done));
    listen({ step: 'download', what: wheel.requirement, done: most, total });
  };

  report(0);
  const watch = setInterval(async () => report(await bytesIn(temporary)), 500);
  const outcome = await runCommand(
    [
      ...pip,
      'download',
      '--no-deps',
      '--only-binary=:all:',
      '--progress-bar=off',
      '--python-version=3.12',
      '--implementation=cp',
      '--abi=cp312',
      '--abi=none',
      `--platform=manylinux2014_${machine}`,
      `--platform=manylinux_2_17_${machine}`,
      `--dest=${target}`,
      wheel.requirement,
    ],
    {
      env: {
        PIP_RETRIES: '2',
        ...process.env,
        TMPDIR: temporary,
        PIP_NO_INPUT: '1',
        PIP_DISABLE_PIP_VERSION_CHECK: '1',
      },
    },
  ).finally(() => clearInterval(watch));
  await rm(temporary, { recursive: true, force: true });
  if (outcome.status !== 0) throw complaint(wheel, outcome, folder);
  report(total);

  const file = (await readdir(target)).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new SetUpFailure(`pip ended well but left no wheel of ${wheel.requirement}`);
  return join(target, file);
}

function complaint(wheel: Wheel, outcome: CommandResult, folder: string): SetUpFailure {
  const said = `${outcome.errors}\n${outcome.output}`;
  if (/No space left on device|Disk quota exceeded/.test(said)) return diskFull(dirname(folder));
  const offline = /NewConnectionError|ConnectTimeout|ProxyError|SSLError|Temporary failure in name|Retrying \(/.test(
    said,
  );
  return new SetUpFailure(
    `pip could not download ${wheel.requirement}: ${lastLine(outcome)}`,
    offline
      ? 'the package index was not reached: check the network and the proxy, index and certificates in `pip config list`'
      : `try \`pip download --no-deps ${wheel.requirement}\` by hand, or name a folder that has libtensorflow with WEIR_LIBTENSORFLOW`,
  );
}

async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { recursive: true }).catch(() => [])) {
    const found = await stat(join(folder, entry)).catch(() => undefined);
    if (found?.isFile()) sum += found.size;
  }
  return sum;
}
