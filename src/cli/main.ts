import { Command } from 'commander';
import { toError } from '../flow/terminal.js';
import { reportToSupervisor } from '../ranks/messages.js';
import { resumable } from '../run/process.js';
import { version } from '../storage/file-format.js';
import { LostRank } from '../tensorflow/collectives/process-group.js';
import { attackCommand } from './attack.js';
import { doctorCommand } from './doctor.js';
import { exportCommand } from './export.js';
import { shown } from './failure.js';
import { graphCommand } from './graph.js';
import { hashCommand } from './hash.js';
import { monitorCommand } from './monitor.js';
import { packCommand } from './pack.js';
import { recordCommand } from './record.js';
import { replayCommand } from './replay.js';
import { reportCommand } from './report.js';
import { reproduceCommand } from './reproduce.js';
import { resumeCommand } from './resume.js';
import { runCommand } from './run.js';
import { setupCommand } from './setup.js';
import { statusCommand } from './status.js';
import { sweepCommand } from './sweep.js';
import { tapCommand } from './tap.js';

const weir = new Command('weir')
  .description('Run, resume, attack and report learning experiments wired as streams.')
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError('(add --help for the options and an example)');

for (const command of [
  runCommand,
  resumeCommand,
  attackCommand,
  sweepCommand,
  reproduceCommand,
  statusCommand,
  monitorCommand,
  tapCommand,
  reportCommand,
  graphCommand,
  recordCommand,
  replayCommand,
  hashCommand,
  exportCommand,
  packCommand,
  doctorCommand,
  setupCommand,
]) {
  weir.addCommand(command());
}

// Read where a data set is made, in this process or in one that it starts.
weir.hook('preAction', (_, command) => {
  if (command.opts().readAll) process.env.WEIR_READ_ALL = '1';
});

// Whatever is thrown where nobody waits for it: as every other failure, not as a bare stack.
process.on('uncaughtException', (error) => {
  toError(`${shown(error)}\n`);
  process.exit(1);
});

// A reader that has seen enough (`weir replay … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

// Node ends once nothing is left that could go on, be the command done or not. A graph under way listens too, and says what it waits for.
const unfinished = (): void => {
  if (process.listenerCount('beforeExit') > 1) return;
  toError('weir: this command ended before it was done, for something that it waited for never came\n');
  process.exit(1);
};
process.on('beforeExit', unfinished);

try {
  await weir.parseAsync();
} catch (error) {
  if (error instanceof LostRank) {
    reportToSupervisor({ kind: 'lost', why: error.message }); // the supervisor names the one that was lost
    process.exitCode = resumable;
  } else {
    toError(`${shown(error)}\n`);
    process.exitCode = 1;
  }
} finally {
  process.off('beforeExit', unfinished);
}
