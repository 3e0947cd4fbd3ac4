import { describe, expect, test } from 'vitest';
import { joinReplyOf, joinRequestOf, rankEventOf, verdictOf } from '../../src/ranks/messages.js';

const request = { rank: 1, ranks: 2, weir: '0.1.0', host: 'a', port: 4000 };

describe('a message from a port that any process can reach', () => {
  test.each([
    {},
    [],
    null,
    'hello',
    { ...request, rank: -7 },
    { ...request, rank: 0 },
    { ...request, rank: 2 },
    { ...request, rank: 1.5 },
    { ...request, ranks: 1e9 },
    { ...request, port: '1,evil:2' },
    { ...request, port: 65_536 },
    { ...request, host: 'a'.repeat(5000) },
    { ...request, weir: undefined },
  ])('is no request to join: %j', (message) => expect(joinRequestOf(message)).toBeUndefined());

  test('is a request to join, without control characters', () => {
    expect(joinRequestOf({ ...request, host: 'a\u001b[2J', more: 1 })).toEqual({ ...request, host: 'a [2J' });
  });

  test.each([
    {},
    { kind: 'exit' },
    { kind: 'exit', status: 'x', signal: null },
    { kind: 'exit', status: 0, signal: 'rm -rf' },
    { kind: 'barrier', update: Number.NaN },
    { kind: 'collective', calls: -1 },
    { kind: 'missing', how: {} },
    { kind: '__proto__' },
  ])('is no event of a rank: %j', (message) => expect(rankEventOf(message)).toBeUndefined());

  test.each([
    { kind: 'barrier', update: -1 },
    { kind: 'collective', calls: 7 },
    { kind: 'lost' },
    { kind: 'lost', why: 'Connection reset' },
    { kind: 'missing', how: 'is gone' },
    { kind: 'exit', status: 75, signal: null },
    { kind: 'exit', status: null, signal: 'SIGKILL' },
  ])('is an event of a rank: %j', (message) => expect(rankEventOf(message)).toEqual(message));

  test('is a reply, a verdict, or neither', () => {
    const group = { addresses: ['10.0.0.1:4000', '[fd00::2]:4000'], hosts: ['a', 'b'] };
    expect(joinReplyOf(group, 2)).toEqual(group);
    expect(joinReplyOf(group, 3)).toBeUndefined();
    expect(joinReplyOf({ ...group, addresses: ['a:1', 'b:1,evil:2'] }, 2)).toBeUndefined();
    expect(joinReplyOf({ refused: 'no', remedy: 5 }, 2)).toEqual({ refused: 'no' });
    expect(verdictOf({ status: 75, why: 'x' })).toEqual({ status: 75, why: 'x' });
    expect(verdictOf({ status: '0' })).toBeUndefined();
  });
});
