import { readSafetensors } from './safetensors.js';
import { fromTorch, torchNames } from './torch.js';
import type { WeightSource } from './weight-source.js';

/** The weights of a safetensors file with PyTorch's names and layouts, see `torchNames`; `weir export` writes such files. */
export const fromFile = (file: string): WeightSource => ({
  shown: file,
  read: () => readSafetensors(file),
  namesOf: torchNames,
  laidOut: fromTorch,
});
