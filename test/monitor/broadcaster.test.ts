import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Broadcaster } from '../../src/monitor/broadcaster.js';

const breath = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A viewer that reads all it is sent. */
function reader() {
  const out = new PassThrough();
  let text = '';
  out.on('data', (chunk) => {
    text += chunk;
  });
  const ids = () => [...text.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id!);
  const data = () => [...text.matchAll(/^event: (\S+)\ndata: (.*)$/gm)].map(([, event, data]) => `${event} ${data}`);
  return { out, ids, data };
}

test('a new viewer is given the state, one that comes back what it missed and no more', async () => {
  let state = 1;
  const broadcaster = new Broadcaster(() => [{ event: 'state', data: state }]);
  const first = reader();
  broadcaster.add(first.out);
  broadcaster.send({ event: 'news', data: 'a' });
  await breath();
  expect(first.data()).toEqual(['begin null', 'state 1', 'news "a"']);

  const stays = reader();
  broadcaster.add(stays.out);
  first.out.destroy();
  await breath();
  state = 2;
  broadcaster.send({ event: 'news', data: 'b' });
  broadcaster.send({ event: 'news', data: 'c' });
  const again = reader();
  broadcaster.add(again.out, first.ids().at(-1));
  const stranger = reader();
  broadcaster.add(stranger.out, 'other-3'); // of a server that is no more
  await breath();
  expect(again.data()).toEqual(['news "b"', 'news "c"']);
  expect(stranger.data()).toEqual(['begin null', 'state 2']);
});

test('one that was away for too long is given the state', async () => {
  const broadcaster = new Broadcaster(() => [{ event: 'state', data: 'whole' }]);
  const stays = reader();
  broadcaster.add(stays.out);
  await breath();
  for (let i = 0; i < 300; i++) broadcaster.send({ event: 'news', data: i });
  const again = reader();
  broadcaster.add(again.out, stays.ids()[0]);
  await breath();
  expect(again.data()).toEqual(['begin null', 'state "whole"']);
});

test('a viewer that never reads is skipped, holds a bounded number of bytes, and is let go; the others miss nothing', async () => {
  const broadcaster = new Broadcaster(
    () => [{ event: 'state', data: 'whole' }],
    () => undefined,
    40,
  );
  const stuck = new Writable({ highWaterMark: 1024, write: () => undefined });
  const good = reader();
  broadcaster.add(stuck);
  broadcaster.add(good.out);
  const large = 'x'.repeat(10_000);
  for (let i = 0; i < 1000; i++) {
    broadcaster.send({ event: 'news', data: large });
    if (i % 50 === 0) await breath();
  }
  expect(stuck.writableLength).toBeLessThan(2 ** 20 + 20_000);
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(stuck.destroyed).toBe(true);
  expect(broadcaster.size).toBe(1);
  expect(good.data()).toHaveLength(1002);
});

test('one that was slow and has caught up is given the state in the place of what it missed', async () => {
  let state = 0;
  const broadcaster = new Broadcaster(() => [{ event: 'state', data: state }]);
  let taken: (() => void)[] = [];
  let text = '';
  const slow = new Writable({
    highWaterMark: 1024,
    write(chunk, _encoding, done) {
      text += chunk;
      taken.push(done);
    },
  });
  broadcaster.add(slow);
  for (state = 0; state < 300; state++) broadcaster.send({ event: 'news', data: 'x'.repeat(10_000) });
  while (taken.length > 0) {
    const now = taken;
    taken = [];
    for (const done of now) done();
    await breath();
  }
  expect(text.match(/^event: news$/gm)!.length).toBeLessThan(200);
  expect(text.trimEnd().split('\n\n').at(-1)).toContain('data: 300');
});
