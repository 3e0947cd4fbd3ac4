import type { Target } from '../fuzz.js';
import {
  cifar10,
  columns,
  commas,
  gzipBomb,
  idxImages,
  idxLabels,
  mat,
  numpy,
  numpyArchive,
  packOfImages,
} from './data.js';
import { recording } from './recording.js';
import { snapshot } from './snapshot.js';
import { metricLog, runConfig, safetensors, settings } from './texts.js';

/** Every reader of files and settings that others may have made. @param folder where a target makes what it begins with */
export const targets = (folder: string): readonly Target[] => [
  ...[snapshot, recording, idxImages, idxLabels, cifar10, safetensors(folder), packOfImages, mat],
  ...[numpy, numpyArchive, commas, columns],
  ...[metricLog, runConfig, settings],
];

/** Single inputs that are large: not to be repeated by the hundred thousand. */
export const single: readonly Target[] = [gzipBomb];
