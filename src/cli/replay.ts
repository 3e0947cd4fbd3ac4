import { Command } from 'commander';
import { finalize, lastValueFrom, tap } from 'rxjs';
import { replay } from '../data/replay.js';
import type { Data, Positioned, TypedArray } from '../flow/data.js';
import { toError, toOutput } from '../flow/terminal.js';
import { readRecording } from '../storage/recording-reader.js';

/** `weir replay FILE`: the items of a recording, each as a line of JSON. */
export function command(): Command {
  return new Command('replay')
    .description('print a recorded stream as lines of JSON')
    .argument('<file>', 'recording')
    .option('--pace', 'with the recorded pauses')
    .option('--allow-gaps', 'go on where items are missing')
    .addHelpText('after', '\nExample:\n  weir replay fixtures/batches.weirrec | head -1')
    .action(async (file: string, settings: { pace?: boolean; allowGaps?: boolean }) => {
      const { header } = readRecording(file);
      toError(`edge '${header.edge}' of ${header.pipeline}, recorded ${header.createdAt}\n`);
      const items$ = replay<Positioned>(file, {
        pace: settings.pace ? 'recorded' : 'at once',
        gaps: settings.allowGaps ? 'allow' : 'refuse',
      });
      let printed = 0;
      await lastValueFrom(
        items$.pipe(
          tap((item) => toOutput(`${JSON.stringify(short(item as unknown as Data))}\n`)),
          tap(() => printed++),
          finalize(() => toError(`${printed} items\n`)),
        ),
        { defaultValue: undefined },
      );
    });
}

/** Cuts long arrays, so that an item fits on a line. */
function short(data: Data): unknown {
  if (ArrayBuffer.isView(data)) {
    const array = data as TypedArray;
    const start = Array.from(array.subarray(0, 8) as ArrayLike<number | bigint>, Number);
    return { [array.constructor.name]: array.length, start };
  }
  if (Array.isArray(data)) return data.map(short);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, short(value as Data)]));
}
