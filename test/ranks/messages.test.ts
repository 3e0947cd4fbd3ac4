import { describe, expect, test } from 'vitest';
import { joinReplyOf, joinRequestOf, rankEventOf, verdictOf } from '../../src/ranks/messages.js';

const hello = { rank: 1, ranks: 2, weir: '0.1.0', host: 'a', port: 4000 };

describe('what comes through a port that anyone can reach', () => {
  test.each([
    {},
    [],
    null,
    'hello',
    { ...hello, rank: -7 },
    { ...hello, rank: 0 },
    { ...hello, rank: 2 },
    { ...hello, rank: 1.5 },
    { ...hello, ranks: 1e9 },
    { ...hello, port: '1,evil:2' },
    { ...hello, port: 65_536 },
    { ...hello, host: 'a'.repeat(5000) },
    { ...hello, weir: undefined },
  ])('is no hello: %j', (said) => expect(joinRequestOf(said)).toBeUndefined());

  test('is a hello, without what a terminal would obey', () => {
    expect(joinRequestOf({ ...hello, host: 'a\u001b[2J', more: 1 })).toEqual({ ...hello, host: 'a [2J' });
  });

  test.each([
    {},
    { kind: 'ended' },
    { kind: 'ended', status: 'x', signal: null },
    { kind: 'ended', status: 0, signal: 'rm -rf' },
    { kind: 'at', update: Number.NaN },
    { kind: 'waits', calls: -1 },
    { kind: 'missing', how: {} },
    { kind: '__proto__' },
  ])('is nothing heard of a rank: %j', (said) => expect(rankEventOf(said)).toBeUndefined());

  test.each([
    { kind: 'at', update: -1 },
    { kind: 'waits', calls: 7 },
    { kind: 'lost' },
    { kind: 'lost', why: 'Connection reset' },
    { kind: 'missing', how: 'is gone' },
    { kind: 'ended', status: 75, signal: null },
    { kind: 'ended', status: null, signal: 'SIGKILL' },
  ])('is heard of a rank: %j', (said) => expect(rankEventOf(said)).toEqual(said));

  test('is an answer, or an end, or none', () => {
    const met = { addresses: ['10.0.0.1:4000', '[fd00::2]:4000'], hosts: ['a', 'b'] };
    expect(joinReplyOf(met, 2)).toEqual(met);
    expect(joinReplyOf(met, 3)).toBeUndefined();
    expect(joinReplyOf({ ...met, addresses: ['a:1', 'b:1,evil:2'] }, 2)).toBeUndefined();
    expect(joinReplyOf({ refused: 'no', remedy: 5 }, 2)).toEqual({ refused: 'no' });
    expect(verdictOf({ status: 75, why: 'x' })).toEqual({ status: 75, why: 'x' });
    expect(verdictOf({ status: '0' })).toBeUndefined();
  });
});
