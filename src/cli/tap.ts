import { Command, Option } from 'commander';
import { toError, toOutput } from '../flow/terminal.js';
import { tapped } from '../monitor/client.js';
import type { ArraysAs } from '../monitor/taps.js';
import { countOption, policyOption, rateOption } from './options.js';

interface Settings {
  readonly policy: string;
  readonly rate: number;
  readonly arrays: ArraysAs;
  readonly items?: number;
}

/** `weir tap RUN EDGE`: the items that pass an edge of a running run, each as a line of JSON; the run is not slowed down. */
export function command(): Command {
  return new Command('tap')
    .description('print the items that pass an edge of a running run, as lines of JSON')
    .argument('<run>', 'folder of the run')
    .argument('<edge>', 'name of the node that the items leave, as `weir graph` lists it')
    .addOption(policyOption().default('latest'))
    .addOption(rateOption().default(10))
    .addOption(
      new Option('--arrays <how>', 'print the beginning of each array, or all of it as base64')
        .choices(['summary', 'base64'])
        .default('summary'),
    )
    .addOption(countOption('--items <n>', 'how many items (default: until the run ends)'))
    .addHelpText(
      'after',
      '\nExample:\n  weir tap runs/mnist-2026-01-31-120000 batch --rate 1\n  weir tap runs/xor updates --policy buffer:64 --items 100 > updates.ndjson',
    )
    .action(async (run: string, edge: string, { items: most = Number.POSITIVE_INFINITY, ...asked }: Settings) => {
      const { items, close } = await tapped(run, { edge, ...asked });
      process.once('SIGINT', close);
      process.stdout.on('error', close); // as of `weir tap … | head`
      let printed = 0;
      let dropped = 0;
      for await (const line of items) {
        dropped = line.dropped;
        printed++;
        if (!toOutput(`${JSON.stringify(line)}\n`)) {
          await new Promise((resolve) => process.stdout.once('drain', resolve));
        }
        if (printed >= most) break;
      }
      close();
      toError(`${printed} items, ${dropped} dropped\n`);
    });
}
