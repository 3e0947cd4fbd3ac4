import { Command } from 'commander';
import pc from 'picocolors';
import { textTable, toOutput } from '../flow/terminal.js';
import { type Description, describe } from '../tensorflow/doctor.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { checkVectors, vectorTables } from '../vectors/check.js';
import { vectorFiles } from '../vectors/vector-file.js';

/** `weir doctor`: the runtime and device of this machine, what is missing, and whether its numbers agree with reference vectors. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('show the runtime and device in use, how they were found, and what is missing')
    .option('--vectors <file...>', 'check the numerics against reference vectors: files, or folders of files')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  weir doctor\n  weir doctor --vectors vectors/*.json')
    .action(async ({ json = false, vectors }: { json?: boolean; vectors?: string[] }) => {
      const { ok, data, lines } = vectors === undefined ? await machine() : await numerics(vectors);
      if (!ok) process.exitCode = 1;
      toOutput(`${json ? JSON.stringify(data, asText, 2) : lines.join('\n')}\n`);
    });
}

interface Findings {
  readonly ok: boolean;
  readonly data: unknown;
  readonly lines: readonly string[];
}

async function machine(): Promise<Findings> {
  const found = await describe();
  const { machine, features, checks } = found;
  const lines = [
    runtimeLine(found.runtime),
    `${machine.processor}, ${machine.cores} cores, ${machine.system}`,
    `features: ${features.join(' ') || 'none that matter'}`,
    '',
    ...textTable(
      checks.flatMap(({ name, ok, found: what, remedy }) => [
        [`${ok ? pc.green('✓') : pc.red('✗')} ${name}`, what],
        ...(ok || remedy === undefined ? [] : [['', `${pc.dim('→')} ${remedy}`]]),
      ]),
    ),
  ];
  return { ok: checks.every((check) => check.ok), data: found, lines };
}

async function numerics(paths: readonly string[]): Promise<Findings> {
  const files = vectorFiles(paths);
  const { setUp: _, ...runtime } = await loadTensorFlow();
  const checked = files.map(checkVectors);
  const ok = checked.every(({ outcome }) => outcome === 'within');
  return { ok, data: { runtime, ok, files: checked }, lines: [runtimeLine(runtime), '', ...vectorTables(checked)] };
}

const runtimeLine = (runtime: Description['runtime']): string =>
  runtime === undefined
    ? 'no runtime'
    : `${runtime.kind} TensorFlow ${runtime.version} on the ${runtime.device}, ${runtime.threads} threads`;

/** Numbers that JSON does not have, such as infinity, as text. */
const asText = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** `weir setup`: gets TensorFlow ready, as any other command would when it first needs it. */
export function setupCommand(): Command {
  return new Command('setup')
    .description('get TensorFlow ready (every command does when it first needs it)')
    .option('--gpu', 'get the build for NVIDIA GPUs, whether or not a driver is found')
    .option('--cpu', 'get the build for processors')
    .addHelpText('after', '\nExample:\n  weir setup')
    .action(async (settings: { gpu?: boolean; cpu?: boolean }) => {
      const asked = settings.gpu ? 'gpu' : settings.cpu ? 'cpu' : 'auto';
      const runtime = await loadTensorFlow({ runtime: asked });
      toOutput(`TensorFlow ${runtime.version} on ${runtime.device}, ${runtime.threads} threads: ${runtime.why}\n`);
    });
}
