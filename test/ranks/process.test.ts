import { describe, expect, test } from 'vitest';
import { gpusOf } from '../../src/ranks/process.js';

const oneMachine = (ranks: number) => ({ ranks, own: Array.from({ length: ranks }, (_, rank) => rank) });
const oneOfSeveral = { ranks: 8, own: [5], rendezvous: { host: 'n1', port: 7320 } };

describe('the GPU of a rank', () => {
  test('is one of all that the machine has, or one of those that the user lists', () => {
    expect(gpusOf(oneMachine(2), {}, 4)).toEqual(['0', '1']);
    expect(gpusOf(oneMachine(2), { CUDA_VISIBLE_DEVICES: '2,3' }, 4)).toEqual(['2', '3']);
    expect(gpusOf(oneMachine(2), { CUDA_VISIBLE_DEVICES: 'GPU-8932f937, GPU-1a2b,MIG-7' }, 4)).toEqual([
      'GPU-8932f937',
      'GPU-1a2b',
    ]);
  });

  test('is not chosen where there is none, or none is to be used', () => {
    const none = [undefined, undefined];
    expect(gpusOf(oneMachine(2), {}, 0)).toEqual(none);
    expect(gpusOf(oneMachine(2), { CUDA_VISIBLE_DEVICES: '0' }, 0)).toEqual(none);
    for (const list of ['', '-1', 'NoDevFiles', '-1,2']) {
      expect(gpusOf(oneMachine(2), { CUDA_VISIBLE_DEVICES: list }, 1)).toEqual(none);
    }
    expect(gpusOf(oneMachine(2), { WEIR_RUNTIME: 'cpu' }, 1)).toEqual(none);
  });

  test('is refused where there are more ranks than GPUs, before NCCL does it', () => {
    expect(() => gpusOf(oneMachine(2), {}, 1)).toThrow('2 ranks on this machine have 1 GPU, and each needs its own');
    expect(() => gpusOf(oneMachine(3), { CUDA_VISIBLE_DEVICES: '2,3' }, 4)).toThrow(
      '3 ranks on this machine have 2 GPUs (CUDA_VISIBLE_DEVICES=2,3), and each needs its own',
    );
    expect(() => gpusOf(oneOfSeveral, { SLURM_LOCALID: '1' }, 1)).toThrow('2 ranks on this machine have 1 GPU,');
  });

  test('has the number of the Slurm task on its node, unless Slurm gave the task its own', () => {
    expect(gpusOf(oneOfSeveral, { SLURM_LOCALID: '1' }, 4)).toEqual(['1']);
    expect(gpusOf(oneOfSeveral, { SLURM_LOCALID: '1', CUDA_VISIBLE_DEVICES: '4,6' }, 8)).toEqual(['6']);
    expect(gpusOf(oneOfSeveral, { SLURM_LOCALID: '1', CUDA_VISIBLE_DEVICES: '0' }, 8)).toEqual([undefined]);
    const each = { SLURM_LOCALID: '3', CUDA_VISIBLE_DEVICES: '0,1', SLURM_GPUS_PER_TASK: '2' };
    expect(gpusOf(oneOfSeveral, each, 8)).toEqual([undefined]);
    expect(gpusOf(oneOfSeveral, {}, 8)).toEqual([undefined]); // started by hand: which ranks share a machine is not known
  });
});
