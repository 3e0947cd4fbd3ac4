import { describe, expect, test } from 'vitest';
import { gpusOf } from '../../src/ranks/process.js';

const here = (ranks: number) => ({ ranks, own: Array.from({ length: ranks }, (_, rank) => rank) });
const there = { ranks: 8, own: [5], hub: { host: 'n1', port: 7320 } };

describe('which GPU a rank sees', () => {
  test('its own of all that the machine has, and its own of those that the user lists', () => {
    expect(gpusOf(here(2), {}, 4)).toEqual(['0', '1']);
    expect(gpusOf(here(2), { CUDA_VISIBLE_DEVICES: '2,3' }, 4)).toEqual(['2', '3']);
    expect(gpusOf(here(2), { CUDA_VISIBLE_DEVICES: 'GPU-8932f937, GPU-1a2b,MIG-7' }, 4)).toEqual([
      'GPU-8932f937',
      'GPU-1a2b',
    ]);
  });

  test('none is chosen where there is none, or none is to be used', () => {
    const none = [undefined, undefined];
    expect(gpusOf(here(2), {}, 0)).toEqual(none);
    expect(gpusOf(here(2), { CUDA_VISIBLE_DEVICES: '0' }, 0)).toEqual(none);
    for (const list of ['', '-1', 'NoDevFiles', '-1,2']) {
      expect(gpusOf(here(2), { CUDA_VISIBLE_DEVICES: list }, 1)).toEqual(none);
    }
    expect(gpusOf(here(2), { WEIR_RUNTIME: 'cpu' }, 1)).toEqual(none);
  });

  test('more ranks than GPUs are refused before NCCL does', () => {
    expect(() => gpusOf(here(2), {}, 1)).toThrow('2 ranks on this machine have 1 GPU, and each needs its own');
    expect(() => gpusOf(here(3), { CUDA_VISIBLE_DEVICES: '2,3' }, 4)).toThrow(
      '3 ranks on this machine have 2 GPUs (CUDA_VISIBLE_DEVICES=2,3), and each needs its own',
    );
    expect(() => gpusOf(there, { SLURM_LOCALID: '1' }, 1)).toThrow('2 ranks on this machine have 1 GPU,');
  });

  test('a task of Slurm takes that of its number on its node, unless Slurm gave it its own', () => {
    expect(gpusOf(there, { SLURM_LOCALID: '1' }, 4)).toEqual(['1']);
    expect(gpusOf(there, { SLURM_LOCALID: '1', CUDA_VISIBLE_DEVICES: '4,6' }, 8)).toEqual(['6']);
    expect(gpusOf(there, { SLURM_LOCALID: '1', CUDA_VISIBLE_DEVICES: '0' }, 8)).toEqual([undefined]);
    const each = { SLURM_LOCALID: '3', CUDA_VISIBLE_DEVICES: '0,1', SLURM_GPUS_PER_TASK: '2' };
    expect(gpusOf(there, each, 8)).toEqual([undefined]);
    expect(gpusOf(there, {}, 8)).toEqual([undefined]); // by hand: which machine's ranks are which is not known
  });
});
