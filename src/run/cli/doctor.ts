import { Command } from 'commander';
import pc from 'picocolors';
import { describe } from '../../learn/device/describe.js';

/** `weir doctor`: what this machine computes with, and how it was found. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('tell which runtime and device are in use, how they were found, and what is missing')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  weir doctor')
    .action(async (settings: { json?: boolean }) => {
      const found = await describe();
      if (found.checks.some((check) => !check.ok)) process.exitCode = 1;
      if (settings.json) {
        process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
        return;
      }
      const { runtime, machine, features, checks } = found;
      const width = Math.max(...checks.map(({ name }) => name.length));
      const lines = [
        runtime === undefined
          ? 'no runtime'
          : `${runtime.kind} TensorFlow ${runtime.version} on the ${runtime.device}, ${runtime.threads} threads`,
        `${machine.processor}, ${machine.cores} cores, ${machine.system}`,
        `features: ${features.join(' ') || 'none that matter'}`,
        '',
        ...checks.flatMap(({ name, ok, found: what, remedy }) => [
          `${ok ? pc.green('✓') : pc.red('✗')} ${name.padEnd(width)}  ${what}`,
          ...(ok || remedy === undefined ? [] : [`  ${' '.repeat(width)}  ${pc.dim('→')} ${remedy}`]),
        ]),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}
