import { describe, expect, test } from 'vitest';
import { FailureDetector } from '../../src/ranks/failure-detector.js';

const at = (update: number) => ({ kind: 'at', update }) as const;
const ended = (status: number | null, signal: NodeJS.Signals | null = null) =>
  ({ kind: 'ended', status, signal }) as const;
const lost = { kind: 'lost' } as const;

describe('what a run of several ranks ends with', () => {
  test('done when all are, resumable when they stopped', () => {
    const judge = new FailureDetector(['a', 'b'], 60, 0);
    judge.hear(0, ended(0), 1);
    expect(judge.verdict(2)).toBeUndefined();
    judge.hear(1, ended(75), 3);
    expect(judge.verdict(4)).toEqual({ status: 75 });
  });

  test('a rank that is killed is named, not those that lose it, whichever is heard of first', () => {
    const judge = new FailureDetector(['a', 'b', 'c'], 60, 0);
    for (const rank of [0, 2]) {
      judge.hear(rank, lost, 1);
      judge.hear(rank, ended(75), 1);
    }
    expect(judge.verdict(2)).toBeUndefined();
    judge.hear(1, ended(null, 'SIGKILL'), 3);
    expect(judge.verdict(3)).toEqual({ status: 75, why: 'rank 1 on b was ended by SIGKILL' });
  });

  test('a rank that fails ends the run with its status', () => {
    const judge = new FailureDetector(['a', 'b'], 60, 0);
    judge.hear(1, ended(1), 1);
    expect(judge.verdict(2)).toEqual({ status: 1, why: 'rank 1 on b failed (its error is above)' });
  });

  test('a rank that others wait for in vain is named; the time before all have begun does not count', () => {
    const judge = new FailureDetector(['a', 'b'], 60, 0);
    judge.hear(0, at(0), 1000);
    expect(judge.verdict(200_000)).toBeUndefined();
    judge.hear(1, at(0), 200_000);
    judge.hear(0, { kind: 'waits', calls: 5 }, 201_000);
    expect(judge.verdict(260_000)).toBeUndefined();
    expect(judge.verdict(261_000)).toEqual({
      status: 75,
      why: 'rank 1 on b has not come past update 0 for 60 seconds',
    });
  });

  test('a first update may take half an hour without a sign; then the one that is behind is named', () => {
    const judge = new FailureDetector(['a', 'b'], 60, 0);
    judge.hear(0, { kind: 'waits', calls: 1 }, 100_000);
    expect(judge.verdict(1_899_000)).toBeUndefined();
    expect(judge.verdict(1_900_000)).toEqual({
      status: 75,
      why: 'rank 1 on b has not come to its first update for 1800 seconds',
    });
    const none = new FailureDetector(['a', 'b'], 2000, 0);
    expect(none.verdict(1_999_000)).toBeUndefined();
    expect(none.verdict(2_000_000)?.why).toBe('no rank has come to its first update for 2000 seconds');
  });

  test('ranks that lose each other: the first reason that is heard; one that does not end itself is ended', () => {
    const judge = new FailureDetector(['a', 'b', 'c'], 60, 0);
    for (const [i, why] of ['Connection reset by peer', 'aborted'].entries()) {
      judge.hear(i, { kind: 'lost', why }, 1);
      judge.hear(i, ended(75), 1);
    }
    expect(judge.verdict(59_000)).toBeUndefined();
    const verdict = { status: 75, why: 'the ranks lost each other (Connection reset by peer)' };
    expect(judge.verdict(61_000)).toEqual(verdict);
    judge.hear(2, ended(75), 2000);
    expect(judge.verdict(2001)).toEqual(verdict);
  });

  test.each([130, 143])('a rank that ends with %i was told to, and has said nothing above', (status) => {
    const judge = new FailureDetector(['a', 'b'], 60, 0);
    judge.hear(1, ended(status), 1);
    expect(judge.verdict(2)).toEqual({ status, why: 'rank 1 on b was told twice to stop' });
  });

  test('a rank that could not be started gives a status that a process can have', () => {
    const judge = new FailureDetector(['a', 'b'], 60, 0);
    judge.hear(1, ended(-2), 1);
    expect(judge.verdict(2)?.status).toBe(1);
  });

  test('a machine that is not heard of is named', () => {
    const judge = new FailureDetector(['a', 'b'], 60, 0);
    judge.hear(1, { kind: 'missing', how: 'has not been heard of for 20 seconds' }, 1);
    expect(judge.verdict(2)?.why).toBe('rank 1 on b has not been heard of for 20 seconds');
  });
});
