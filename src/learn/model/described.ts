import { WeirError } from '../../flow/errors.js';
import type { Shapes } from '../weights/saved-tensors.js';
import { type ActivationName, activations } from './activation.js';
import { projected } from './head.js';
import type { ModelLayer } from './layer.js';
import { model } from './layered.js';
import {
  batchNorm,
  conv,
  dense,
  gelu,
  globalMean,
  lipschitzConv,
  lipschitzDense,
  maxMin,
  maxPool,
  meanPool,
  relu,
  residual,
  sigmoid,
  tanh,
} from './layers.js';
import { linear } from './linear.js';
import { mlp } from './mlp.js';
import type { Architecture, Model, Padding } from './model.js';
import { type ResnetOptions, resnet } from './resnet/resnet.js';

/**
 * The network of weights that are stored: made anew from the architecture that stands beside them. It needs no pipeline.
 *
 * A backbone with a projection head is taken with that head, unless there is a readout among the weights.
 *
 * @param shapes of its weights, by their names
 * @throws {WeirError} for the architecture of a model that is the user's own, and for a layer of the user's own, by its name
 */
export function modelOf(architecture: Architecture, shapes: Shapes): Model {
  const { projector, projectorActivation } = architecture;
  if (projector === undefined || shapes.has('readout/kernel')) return withReadout(architecture, shapes);
  const widths = projector.split('-').map(Number);
  return projected(withReadout(architecture, shapes), {
    hidden: widths.slice(0, -1),
    outputs: widths.at(-1)!,
    bias: shapes.has('projector1/bias'),
    activation: activationIn(projectorActivation),
  });
}

function withReadout(architecture: Architecture, shapes: Shapes): Model {
  const [kind = '', sizes = ''] = (architecture.architecture ?? '').split(' ');
  const widths = sizes.split('-').map(Number);
  const classes = shapes.get('readout/kernel')?.[1] ?? 1; // none below a projection head, which takes its place
  const bias = shapes.has('readout/bias');
  if (kind === 'mlp') {
    return mlp(widths, {
      activation: activationIn(architecture.activation),
      scale: architecture.scale as 'width' | 'none',
    });
  }
  if (kind === 'linear') return linear(widths as [number, number], { bias });
  if (kind === 'layers') {
    return model({
      inputShape: numbersIn(architecture.inputShape),
      layers: [...layersIn(architecture.layers ?? ''), dense(classes, { bias })],
    });
  }
  if (/^resnet\d+$/.test(kind)) {
    const { stem, width, channels, padding, shortcut, inputSize } = architecture;
    return resnet({
      depth: Number(kind.slice('resnet'.length)) as ResnetOptions['depth'],
      stem: stem as NonNullable<ResnetOptions['stem']>,
      classes,
      inputSize: numbersIn(inputSize) as [number, number],
      channels: Number(channels),
      width: Number(width),
      padding: padding as Padding,
      shortcut: shortcut as NonNullable<ResnetOptions['shortcut']>,
    });
  }
  throw new WeirError(
    `a network of architecture '${architecture.architecture ?? 'unknown'}' cannot be made anew from its weights`,
    'its steps are known of mlp, linear, resnet and model alone: of another one export the weights as .safetensors',
  );
}

const numbersIn = (text = ''): number[] => text.split(' ').map(Number);

/** @throws {WeirError} for an activation that is none of Weir's */
function activationIn(name = ''): ActivationName {
  if (Object.hasOwn(activations, name)) return name as ActivationName;
  throw new WeirError(
    `a network has the activation '${name}', which cannot be made anew`,
    `there are ${Object.keys(activations).join(', ')}`,
  );
}

const elementwise = { relu, gelu, tanh, sigmoid, maxMin };

/**
 * Layers from their descriptions, as `model` lists them in its architecture.
 *
 * @throws {WeirError} for a layer of the user's own
 * @example layersIn('conv 16 3×3 stride 1 circular, relu, residual (batchNorm, relu), globalMean')
 */
export const layersIn = (text: string): ModelLayer[] => outsideBrackets(text, ', ').map(layerOf);

function layerOf(text: string): ModelLayer {
  const bias = !text.endsWith(' without bias');
  const plain = text.replace(/^1-Lipschitz /, '');
  const contracts = plain !== text;
  const [kind = '', ...words] = plain.split(' ');
  if (Object.hasOwn(elementwise, kind)) return elementwise[kind as keyof typeof elementwise]();
  if (kind === 'dense') return (contracts ? lipschitzDense : dense)(Number(words[0]), { bias });
  if (kind === 'maxPool') return maxPool(Number(words[0]));
  if (kind === 'meanPool') return meanPool(Number(words[0]));
  if (kind === 'globalMean') return globalMean();
  if (kind === 'batchNorm') return batchNorm();
  const convolution = /^conv (\d+) (\d+)×\d+ stride (\d+) (circular|zero)/.exec(plain);
  if (convolution !== null) {
    const [, filters, size, stride, padding] = convolution;
    return (contracts ? lipschitzConv : conv)(Number(filters), {
      size: Number(size),
      stride: Number(stride),
      padding: padding as Padding,
      bias,
    });
  }
  if (kind === 'residual') {
    const sides = outsideBrackets(text.slice('residual '.length), ' beside ');
    const [branch = [], shortcut = []] = sides.map((side) => layersIn(side.slice(1, -1)));
    return residual(branch, shortcut);
  }
  throw new WeirError(
    `layer '${kind}' of the network is the user's own function, which has no form outside of its module`,
    'export the weights as .safetensors, or make the network of layers that Weir has',
  );
}

/** The parts of a text between separators that stand in no brackets; none of an empty text. */
function outsideBrackets(text: string, separator: string): string[] {
  const parts: string[] = [];
  let [depth, from] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    else if (depth === 0 && text.startsWith(separator, at)) {
      parts.push(text.slice(from, at));
      from = at + separator.length;
    }
  }
  return text === '' ? [] : [...parts, text.slice(from)];
}
