import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CommandResult, lastLine, runCommand } from './command.js';
import { diskFull, SetUpFailure, type SetUpListener } from './progress.js';
import type { Wheel } from './release.js';

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
