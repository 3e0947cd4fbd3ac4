import { describe, expect, test } from 'vitest';
import { FailureDetector } from '../../src/ranks/failure-detector.js';

const barrier = (update: number) => ({ kind: 'barrier', update }) as const;
const exit = (status: number | null, signal: NodeJS.Signals | null = null) =>
  ({ kind: 'exit', status, signal }) as const;
const lost = { kind: 'lost' } as const;

describe('the verdict on a run of several ranks', () => {
  test('is done when all ranks are done, and resumable when they stopped', () => {
    const detector = new FailureDetector(['a', 'b'], 60, 0);
    detector.notice(0, exit(0), 1);
    expect(detector.verdict(2)).toBeUndefined();
    detector.notice(1, exit(75), 3);
    expect(detector.verdict(4)).toEqual({ status: 75 });
  });

  test('names a rank that was killed, and not the ranks that lost it, whichever event comes first', () => {
    const detector = new FailureDetector(['a', 'b', 'c'], 60, 0);
    for (const rank of [0, 2]) {
      detector.notice(rank, lost, 1);
      detector.notice(rank, exit(75), 1);
    }
    expect(detector.verdict(2)).toBeUndefined();
    detector.notice(1, exit(null, 'SIGKILL'), 3);
    expect(detector.verdict(3)).toEqual({ status: 75, why: 'rank 1 on b was ended by SIGKILL' });
  });

  test('has the status of a rank that failed', () => {
    const detector = new FailureDetector(['a', 'b'], 60, 0);
    detector.notice(1, exit(1), 1);
    expect(detector.verdict(2)).toEqual({ status: 1, why: 'rank 1 on b failed (its error is above)' });
  });

  test('names a rank that the others wait for in vain; the time before the first updates does not count', () => {
    const detector = new FailureDetector(['a', 'b'], 60, 0);
    detector.notice(0, barrier(0), 1000);
    expect(detector.verdict(200_000)).toBeUndefined();
    detector.notice(1, barrier(0), 200_000);
    detector.notice(0, { kind: 'collective', calls: 5 }, 201_000);
    expect(detector.verdict(260_000)).toBeUndefined();
    expect(detector.verdict(261_000)).toEqual({
      status: 75,
      why: 'rank 1 on b has not passed update 0 for 60 seconds',
    });
  });

  test('leaves half an hour for a first update, then names the rank that is behind', () => {
    const detector = new FailureDetector(['a', 'b'], 60, 0);
    detector.notice(0, { kind: 'collective', calls: 1 }, 100_000);
    expect(detector.verdict(1_899_000)).toBeUndefined();
    expect(detector.verdict(1_900_000)).toEqual({
      status: 75,
      why: 'rank 1 on b has not reached its first update for 1800 seconds',
    });
    const none = new FailureDetector(['a', 'b'], 2000, 0);
    expect(none.verdict(1_999_000)).toBeUndefined();
    expect(none.verdict(2_000_000)?.why).toBe('no rank has reached its first update for 2000 seconds');
  });

  test('gives the first reason where ranks lost each other, and ends a rank that does not end by itself', () => {
    const detector = new FailureDetector(['a', 'b', 'c'], 60, 0);
    for (const [i, why] of ['Connection reset by peer', 'aborted'].entries()) {
      detector.notice(i, { kind: 'lost', why }, 1);
      detector.notice(i, exit(75), 1);
    }
    expect(detector.verdict(59_000)).toBeUndefined();
    const verdict = { status: 75, why: 'the ranks lost each other (Connection reset by peer)' };
    expect(detector.verdict(61_000)).toEqual(verdict);
    detector.notice(2, exit(75), 2000);
    expect(detector.verdict(2001)).toEqual(verdict);
  });

  test.each([130, 143])(
    'says of a rank that ends with status %i that it was told to stop, for it printed no error',
    (status) => {
      const detector = new FailureDetector(['a', 'b'], 60, 0);
      detector.notice(1, exit(status), 1);
      expect(detector.verdict(2)).toEqual({ status, why: 'rank 1 on b was told twice to stop' });
    },
  );

  test('has a valid exit status where a rank could not be started', () => {
    const detector = new FailureDetector(['a', 'b'], 60, 0);
    detector.notice(1, exit(-2), 1);
    expect(detector.verdict(2)?.status).toBe(1);
  });

  test('names a rank whose machine sends no heartbeat', () => {
    const detector = new FailureDetector(['a', 'b'], 60, 0);
    detector.notice(1, { kind: 'missing', how: 'sent no heartbeat for 20 seconds' }, 1);
    expect(detector.verdict(2)?.why).toBe('rank 1 on b sent no heartbeat for 20 seconds');
  });
});
