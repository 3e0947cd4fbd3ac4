import { WeirError } from '../../core/errors.js';
import { tf } from '../../learn/device/tf.js';
import type { Model, Weights } from '../../learn/model/model.js';
import { readSafetensors, type StoredTensor } from './safetensors.js';
import { fromTorch, torchNames } from './torch.js';

export interface StartingOptions {
  /** Layers that begin anew from the seed, such as ['readout'] for another set of classes: the file's are not looked at. */
  readonly fresh?: readonly string[];
  /**
   * Tensors of the file that are left out, by their names there or by what those begin with, such as ['projector'] for the head that
   * a self-supervised network was trained with.
   */
  readonly drop?: readonly string[];
}

/**
 * The model with weights that begin as those of a safetensors file: what fine-tuning starts from. All else of it is as it was, so a
 * penalty towards the start (`l2-sp`) draws to them.
 *
 * Names and layouts are PyTorch's, see `torchNames`; `weir export` writes such files.
 *
 * @throws {WeirError} for a file that lacks a weight, has one of another shape, or one that the model has not and that is not dropped;
 * for a fresh layer that the model has not; for something to drop that the file has not
 * @example startingFrom(resnet({ depth: 18, … }), 'pretrained.safetensors', { fresh: ['readout'] })
 * @example startingFrom(resnet({ depth: 18, … }), 'barlow.safetensors', { fresh: ['readout'], drop: ['projector'] })
 */
export function startingFrom(model: Model, file: string, { fresh = [], drop = [] }: StartingOptions = {}): Model {
  const isFresh = (name: string): boolean => fresh.some((layer) => name.startsWith(`${layer}/`));
  let stored: ReadonlyMap<string, StoredTensor> | undefined; // read once, when it is first needed
  const start = (seed: number): Weights => {
    stored ??= kept(readSafetensors(file));
    const own = model.start(seed);
    try {
      checkFresh(own);
      return taken(own, stored);
    } catch (error) {
      tf.dispose([...own.values()]);
      throw error;
    }
  };

  const kept = (all: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor> => {
    const odd = drop.find((start) => start === '' || ![...all.keys()].some((name) => name.startsWith(start)));
    if (odd !== undefined) {
      throw new WeirError(
        `${file} has no tensor '${odd}' that could be dropped`,
        `it has ${[...all.keys()].join(', ')}`,
      );
    }
    return new Map([...all].filter(([name]) => !drop.some((start) => name.startsWith(start))));
  };

  const taken = (own: Weights, stored: ReadonlyMap<string, StoredTensor>): Weights => {
    const used = new Set<string>();
    const found = [...own].map(([name, { shape }]) => {
      const names = torchNames(name);
      for (const each of names) used.add(each);
      if (isFresh(name)) return undefined;
      const there = names.find((each) => stored.has(each));
      if (there === undefined) throw lacks(names[0], name);
      const tensor = fromTorch(stored.get(there)!);
      if (tensor.shape.join() !== shape.join()) throw another(there, tensor.shape, shape);
      return tensor;
    });
    const more = [...stored.keys()].find((name) => !used.has(name));
    if (more !== undefined) {
      throw new WeirError(
        `${file} has a tensor '${more}' that ${model.name} has no place for`,
        `take the model that the file was written of, or leave it out: drop: ['${more.replace(/(?<=.)\.[^.]*$/, '')}']`,
      );
    }
    return new Map(
      [...own].map(([name, tensor], i) => {
        const from = found[i];
        if (from === undefined) return [name, tensor];
        tensor.dispose();
        return [name, tf.tensor(from.values, [...from.shape])];
      }),
    );
  };

  const checkFresh = (own: Weights): void => {
    const layers = new Set([...own.keys()].map((name) => name.slice(0, name.lastIndexOf('/'))));
    const odd = fresh.find((layer) => ![...own.keys()].some((name) => name.startsWith(`${layer}/`)));
    if (odd === undefined) return;
    throw new WeirError(
      `${model.name} has no layer '${odd}' that could begin anew`,
      `name some of ${[...layers].join(', ')}, or what they begin with`,
    );
  };
  const lacks = (there: string, name: string): WeirError =>
    new WeirError(
      `${file} has no tensor '${there}'${drop.length > 0 ? ' that is not dropped' : ''}, which ${model.name} needs for '${name}'`,
      `take the model that the file was written of, or begin that layer anew: fresh: ['${name.split('/')[0]}']`,
    );
  const another = (there: string, got: readonly number[], wanted: readonly number[]): WeirError =>
    new WeirError(
      `tensor '${there}' of ${file} is [${got.join(', ')}] in the order of Weir, but ${model.name} needs [${wanted.join(', ')}]`,
      'take the model that the file was written of, or begin that layer anew with fresh',
    );
  return { ...model, start };
}
