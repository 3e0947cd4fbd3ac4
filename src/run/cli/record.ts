import { Command } from 'commander';
import { Flow } from '../../core/flow.js';
import { loadTensorFlow } from '../../learn/device/tf.js';
import { recordEdge } from '../../observe/record.js';
import { resolveConfig } from '../config.js';
import { loadPipeline } from '../load-module.js';
import { wired } from '../try-out.js';
import { itemsOption, seedOption, setOption } from './options.js';

/** `weir record MODULE EDGE FILE`: runs the pipeline's first network until so many items of an edge are recorded. */
export function recordCommand(): Command {
  return new Command('record')
    .description('record what leaves a node of a pipeline’s graph, as a fixture to replay')
    .argument('<module>', 'pipeline module')
    .argument('<edge>', 'name of the node, as `weir graph` lists it')
    .argument('<file>', 'recording to write, such as fixtures/batches.weirrec')
    .addOption(setOption())
    .addOption(seedOption())
    .addOption(itemsOption())
    .addHelpText('after', '\nExample:\n  weir record pipelines/mnist.ts batch batches.weirrec --items 3')
    .action(
      async (module: string, edge: string, file: string, settings: { set: string[]; seed: number; items: number }) => {
        const pipeline = await loadPipeline(module);
        const config = resolveConfig(pipeline.config, pipeline.profiles, settings.set);
        await loadTensorFlow();
        const flow = new Flow(await wired(pipeline, config, settings.seed));
        const complete = (): void => flow.stop();
        const end = recordEdge(flow, edge, file, { pipeline: pipeline.name, items: settings.items, complete });
        try {
          await flow.start();
        } finally {
          end();
        }
        if (flow.finished) process.stderr.write(`weir: the stream ended before ${settings.items} items had come\n`);
        process.stdout.write(`${file}\n`);
      },
    );
}
