import { Command } from 'commander';
import { toOutput } from '../flow/terminal.js';
import { loadTensorFlow } from '../tensorflow/tf.js';

/** `weir setup`: gets TensorFlow ready, as any other command would when it first needs it. */
export function command(): Command {
  return new Command('setup')
    .description('get TensorFlow ready (every command does when it first needs it)')
    .option('--gpu', 'the build for NVIDIA GPUs, whether or not a driver is found')
    .option('--cpu', 'the build for processors')
    .addHelpText('after', '\nExample:\n  weir setup')
    .action(async (settings: { gpu?: boolean; cpu?: boolean }) => {
      const asked = settings.gpu ? 'gpu' : settings.cpu ? 'cpu' : 'auto';
      const runtime = await loadTensorFlow({ runtime: asked });
      toOutput(`TensorFlow ${runtime.version} on ${runtime.device}, ${runtime.threads} threads: ${runtime.why}\n`);
    });
}
