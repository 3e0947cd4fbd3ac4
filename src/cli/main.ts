import { Command } from 'commander';
import { WeirError } from '../flow/errors.js';
import { toError } from '../flow/terminal.js';
import { reportToSupervisor } from '../ranks/messages.js';
import { resumable } from '../run/process.js';
import { version } from '../storage/file-format.js';
import { shown } from './failure.js';

/** Every command by name. Its module is loaded when the command is called, or all of them are listed. */
const commands: Readonly<Record<string, () => Promise<{ readonly command: () => Command }>>> = {
  init: () => import('./init.js'),
  run: () => import('./run.js').then(({ runCommand: command }) => ({ command })),
  resume: () => import('./run.js').then(({ resumeCommand: command }) => ({ command })),
  fork: () => import('./fork.js'),
  attack: () => import('./attack.js'),
  sweep: () => import('./sweep.js'),
  reproduce: () => import('./reproduce.js'),
  status: () => import('./status.js'),
  ls: () => import('./ls.js'),
  monitor: () => import('./monitor.js'),
  tap: () => import('./tap.js'),
  report: () => import('./report.js'),
  graph: () => import('./graph.js'),
  record: () => import('./record.js').then(({ recordCommand: command }) => ({ command })),
  replay: () => import('./record.js').then(({ replayCommand: command }) => ({ command })),
  hash: () => import('./hash.js'),
  export: () => import('./export.js'),
  pack: () => import('./pack.js'),
  doctor: () => import('./doctor.js').then(({ doctorCommand: command }) => ({ command })),
  setup: () => import('./doctor.js').then(({ setupCommand: command }) => ({ command })),
};

const weir = new Command('weir')
  .description('Run, resume, attack and report learning experiments wired as streams.')
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError('(add --help for the options and an example)');

// Data sets read this variable, in this process and in those that it starts.
weir.hook('preAction', (_, command) => {
  if (command.opts().readAll) process.env.WEIR_READ_ALL = '1';
});

// An error that no code awaits is shown as every other failure, not as a bare stack.
process.on('uncaughtException', (error) => {
  toError(`${shown(error)}\n`);
  process.exit(1);
});

// A reader that closes the pipe early (`weir replay … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

// Node exits once no event can come any more, whether the command is done or not. A running graph listens too, and reports its own standstill.
const unfinished = (): void => {
  if (process.listenerCount('beforeExit') > 1) return;
  toError('weir: the command ended before it was done: it waited for something that cannot come any more\n');
  process.exit(1);
};
process.on('beforeExit', unfinished);

try {
  const [, , name = ''] = process.argv;
  for (const load of Object.hasOwn(commands, name) ? [commands[name]!] : Object.values(commands)) {
    weir.addCommand((await load()).command());
  }
  await weir.parseAsync();
} catch (error) {
  if (error instanceof WeirError && error.name === 'LostRank') {
    reportToSupervisor({ kind: 'lost', why: error.message }); // the supervisor names the rank that was lost
    process.exitCode = resumable;
  } else {
    toError(`${shown(error)}\n`);
    process.exitCode = 1;
  }
} finally {
  process.off('beforeExit', unfinished);
}
