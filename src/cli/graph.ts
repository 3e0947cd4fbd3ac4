import { Command } from 'commander';
import { Flow } from '../flow/flow.js';
import { toMermaid, toText } from '../flow/graph.js';
import { toError, toOutput } from '../flow/terminal.js';
import { configOf, wireFirstNetwork } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { seedOption, setOption, settingsHelp, withOptions } from './options.js';

/** `weir graph MODULE`: the graph of the pipeline's first network, as text and for Mermaid, without running it. */
export function command(): Command {
  return withOptions(new Command('graph'), setOption(), seedOption())
    .description('draw the graph of a pipeline')
    .argument('<module>', 'pipeline module')
    .option('--mermaid', 'print the graph as Mermaid only')
    .option('--text', 'print the aligned list only')
    .addHelpText('after', `\nExample:\n  weir graph pipelines/mnist.ts --set profile=quick${settingsHelp}`)
    .action(async (module: string, settings: { set: string[]; seed: number; mermaid?: boolean; text?: boolean }) => {
      const pipeline = await loadPipeline(module);
      const config = configOf(pipeline, settings.set);
      await loadTensorFlow();
      const flow = new Flow(await wireFirstNetwork(pipeline, config, settings.seed));
      flow.introduce();
      const parts = [settings.mermaid ? '' : toText(flow), settings.text ? '' : toMermaid(flow)];
      flow.close();
      for (const remark of flow.remarks) toError(`${remark}\n`);
      toOutput(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
    });
}
