import { describe, expect, test } from 'vitest';
import { firstHost, localRanksOf } from '../../src/ranks/place.js';

describe('which ranks a command starts', () => {
  test('none by itself, and none where it is the process of a rank', () => {
    expect(localRanksOf(undefined, {})).toBeUndefined();
    expect(localRanksOf(1, {})).toBeUndefined();
    expect(localRanksOf(2, { WEIR_RANK_OF_THIS: '1' })).toBeUndefined();
  });

  test('all of them with --ranks', () => expect(localRanksOf(3, {})).toEqual({ ranks: 3, own: [0, 1, 2] }));

  test('one where variables say so', () => {
    const env = { WEIR_RANK: '1', WEIR_RANKS: '2', WEIR_HUB: '[fd00::1]:7320' };
    expect(localRanksOf(undefined, env)).toEqual({ ranks: 2, own: [1], hub: { host: 'fd00::1', port: 7320 } });
    expect(() => localRanksOf(undefined, { ...env, WEIR_RANK: '2' })).toThrow(
      'WEIR_RANK=2 and WEIR_RANKS=2 are no rank of several',
    );
    expect(() => localRanksOf(undefined, { ...env, WEIR_HUB: 'here' })).toThrow("WEIR_HUB='here' is no place to meet");
  });

  test('by itself where variables say that it is the only one, without a hub', () => {
    expect(localRanksOf(undefined, { WEIR_RANKS: '1' })).toBeUndefined();
    expect(localRanksOf(undefined, { WEIR_RANK: '0', WEIR_RANKS: '1' })).toBeUndefined();
    expect(() => localRanksOf(undefined, { WEIR_RANK: '1', WEIR_RANKS: '1' })).toThrow('are no rank of several');
  });

  test('as many as before where nothing else is said', () => {
    expect(localRanksOf(undefined, {}, 3)).toEqual({ ranks: 3, own: [0, 1, 2] });
    expect(localRanksOf(2, {}, 3)).toEqual({ ranks: 2, own: [0, 1] });
    expect(localRanksOf(1, {}, 3)).toBeUndefined();
  });

  test('one under srun, but not in a batch script of several tasks', () => {
    const job = { SLURM_NTASKS: '4', SLURM_JOB_ID: '7' };
    expect(localRanksOf(undefined, { ...job, SLURM_PROCID: '0' })).toBeUndefined();
    const step = {
      SLURM_STEP_NUM_TASKS: '4',
      SLURM_PROCID: '2',
      SLURM_STEP_ID: '1',
      SLURM_STEP_NODELIST: 'n[03-04,9]',
    };
    const place = { ranks: 4, own: [2], hub: { host: 'n03', port: 20_708 } };
    expect(localRanksOf(undefined, { ...job, ...step })).toEqual(place);
    expect(localRanksOf(4, { ...job, ...step })).toEqual(place);
    expect(localRanksOf(undefined, { ...job, ...step }, 2)).toEqual(place); // resumed by more than it was begun with
    expect(localRanksOf(1, { ...job, ...step })).toBeUndefined();
    expect(() => localRanksOf(2, { ...job, ...step })).toThrow('--ranks 2 was given, but srun started tasks: 4');
    const hub = { host: '10.0.0.1', port: 7320 };
    expect(localRanksOf(undefined, { ...job, ...step, WEIR_HUB: '10.0.0.1:7320' })).toEqual({ ...place, hub });
  });

  test.each([
    ['node1', 'node1'],
    ['a[07-12,20],b', 'a07'],
    ['x-[1,3].cluster', 'x-1.cluster'],
    ['a,b[1-2]', 'a'],
    ['rack[1-2]node[01-04]', 'rack1node01'],
    ['rack[1,3]node[02,04].cluster,b', 'rack1node02.cluster'],
  ])('%s begins with %s', (list, first) => expect(firstHost(list)).toBe(first));
});
