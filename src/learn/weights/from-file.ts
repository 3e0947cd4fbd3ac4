import { fromMetadata } from '../weights-metadata.js';
import { fromTorch, torchNames } from './torch.js';
import type { Stored, WeightSource } from './weight-source.js';
import { readWeights, type StoredTensor } from './weights-safetensors.js';

/** The weights of a safetensors file with PyTorch's names and layouts, see `torchNames`; `weir export` writes such files. */
export const fromFile = (file: string): WeightSource => ({
  shown: file,
  read: () => stored(file),
  namesOf: torchNames,
  laidOut: fromTorch,
});

/** What wrappers put before every name: DataParallel, torch.compile, Lightning and others. */
const wrappers = ['module.', '_orig_mod.', 'model.'];

function stored(file: string): Stored {
  const { tensors, metadata, converted } = readWeights(file);
  const [prefix, bare] = unwrapped(tensors);
  const types = Object.entries(converted).map(([type, count]) => `${count} of ${tensors.size} tensors are ${type}`);
  return {
    tensors: bare,
    about: fromMetadata(file, metadata),
    notes: [
      ...(types.length > 0 ? [`${file}: ${types.join(', ')}; read as float32`] : []),
      ...(prefix !== '' ? [`${file}: every name begins with '${prefix}', which is left out`] : []),
    ],
  };
}

/** The tensors without what a wrapper has put before all of their names. */
function unwrapped(
  tensors: ReadonlyMap<string, StoredTensor>,
): readonly [prefix: string, ReadonlyMap<string, StoredTensor>] {
  const names = [...tensors.keys()];
  let prefix = '';
  for (;;) {
    const more = wrappers.find(
      (wrapper) => names.length > 0 && names.every((name) => name.startsWith(prefix + wrapper)),
    );
    if (more === undefined) break;
    prefix += more;
  }
  return [prefix, new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor]))];
}
