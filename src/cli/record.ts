import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { finalize, lastValueFrom, tap } from 'rxjs';
import { replay } from '../data/replay.js';
import type { Data, Positioned, TypedArray } from '../flow/data.js';
import { Flow } from '../flow/flow.js';
import { toError, toOutput } from '../flow/terminal.js';
import { tapped } from '../monitor/client.js';
import { fromWire } from '../monitor/taps.js';
import { configOf, wireFirstNetwork } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { readRecording } from '../storage/recording-reader.js';
import { RecordingWriter, recordEdge } from '../storage/recording-writer.js';
import { RunFolder } from '../storage/run-folder.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { itemsOption, policyOption, rateOption, seedOption, setOption, settingsHelp, withOptions } from './options.js';

interface Settings {
  readonly set: string[];
  readonly seed: number;
  readonly items: number;
  readonly policy: string;
  readonly rate?: number;
}

/** `weir record MODULE|RUN EDGE FILE`: records items of an edge; of a module by running its first network, of a run by a tap. */
export function recordCommand(): Command {
  const ofRun = [policyOption('of a run: ').default('buffer:64'), rateOption('of a run: ')];
  return withOptions(new Command('record'), setOption(), seedOption(), itemsOption(), ...ofRun)
    .description('record what leaves a node of a pipeline’s graph, or of a running run, as a fixture to replay')
    .argument('<from>', 'pipeline module, or the folder of a running run')
    .argument('<edge>', 'name of the node, as `weir graph` lists it')
    .argument('<file>', 'recording to write, such as fixtures/batches.weirrec')
    .addHelpText(
      'after',
      `\nExample:\n  weir record pipelines/mnist.ts batch batches.weirrec --items 3\n  weir record runs/mnist-2026-01-31-120000 batch batches.weirrec\n\nOf a module every item is recorded. A run is never slowed down: items that it drops are marked in the recording as a gap.${settingsHelp}`,
    )
    .action(async (from: string, edge: string, file: string, settings: Settings) => {
      const recorded = existsSync(join(from, 'config.json'))
        ? await fromRun(from, edge, file, settings)
        : await fromModule(from, edge, file, settings);
      if (recorded < settings.items) {
        toError(`weir: the stream ended before ${settings.items} items were recorded\n`);
      }
      toOutput(`${file}\n`);
    });
}

async function fromModule(module: string, edge: string, file: string, { set, seed, items }: Settings): Promise<number> {
  const pipeline = await loadPipeline(module);
  const config = configOf(pipeline, set);
  await loadTensorFlow();
  const flow = new Flow(await wireFirstNetwork(pipeline, config, seed));
  const complete = (): void => flow.stop();
  const end = recordEdge(flow, edge, file, { pipeline: pipeline.name, items, complete });
  try {
    await flow.start();
  } finally {
    end();
  }
  return flow.finished ? 0 : items;
}

async function fromRun(
  run: string,
  edge: string,
  file: string,
  { items: wanted, policy, rate }: Settings,
): Promise<number> {
  const { pipeline } = RunFolder.open(run).started;
  const asked = { edge, policy, arrays: 'base64', ...(rate !== undefined && { rate }) } as const;
  const { items, close } = await tapped(run, asked);
  process.once('SIGINT', close);
  const recording = RecordingWriter.create(file, { edge, pipeline, createdAt: new Date().toISOString() });
  let recorded = 0;
  let missed = 0;
  let last = 0;
  try {
    for await (const { position, time, dropped, item } of items) {
      if (dropped > missed) recording.gap(last, time, dropped - missed);
      missed = dropped;
      recording.append(position, time, fromWire(item));
      last = position;
      if (++recorded >= wanted) break;
    }
  } finally {
    recording.end();
    close();
  }
  if (missed > 0) toError(`weir: ${missed} items are missing in the recording; replay it with --allow-gaps\n`);
  return recorded;
}

/** `weir replay FILE`: the items of a recording, each as a line of JSON. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('print a recorded stream as lines of JSON')
    .argument('<file>', 'recording')
    .option('--pace', 'print at the recorded pace')
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
