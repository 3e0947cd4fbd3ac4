import { Command, Option } from 'commander';
import { toOutput } from '../flow/terminal.js';
import { addressLine, doorOf, listenAt, monitorAt } from '../monitor/access.js';
import { controlServer, refuse } from '../monitor/server.js';
import { ask, relay, ViewModel } from '../monitor/view-model.js';
import { RunFolder } from '../storage/run-folder.js';
import { monitorOptions, port } from './options.js';

interface Settings {
  readonly port?: number;
  readonly monitorAddress?: string;
  readonly control?: boolean;
}

/** `weir monitor RUN`: the page of a finished run, or of a run of another process, from its files and its socket. */
export function command(): Command {
  return new Command('monitor')
    .description('show a run on a page: a finished one, or one that runs in another process')
    .argument('<run>', 'folder of the run')
    .addOption(new Option('--port <port>', 'port to listen on (default: 7316, or a free one)').argParser(port))
    .addOption(monitorOptions()[1]!)
    .option('--control', 'let the page stop, snapshot and pause the run too, if this user started it')
    .addHelpText(
      'after',
      '\nExample:\n  weir monitor runs/mnist-2026-01-31-120000\n\nCtrl-C ends the page, never the run.',
    )
    .action(async (run: string, { port, monitorAddress, control }: Settings) => {
      RunFolder.open(run);
      const { token, listening } = monitorAt({
        monitor: port ?? true,
        ...(monitorAddress !== undefined && { monitorAddress }),
      });
      const view = new ViewModel(run);
      const server = controlServer(
        {
          token,
          ...view.served,
          act: async (action) => control === true && (await ask(run, action)),
          tap: (_request, _arrays, out) => refuse(out, 404, 'taps go to the process that runs it', 'weir tap RUN EDGE'),
        },
        doorOf(listening!.address),
      );
      const { line, remove } = addressLine(await listenAt(server, listening!, token), run, process.stdout);
      toOutput(`${line}\n`);
      const end = relay(run, view);
      await new Promise<void>((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
      });
      remove();
      end();
      view.close();
      server.close();
      server.closeAllConnections();
    });
}
