import * as weir from '../../src/index.js';
import type forking from './forking.js';

/** What test/run/run.test.ts starts as a script of a user's: prints a line of JSON about each thing that must be so. */
const [module, folder] = process.argv.slice(2) as [string, string];
const say = (value: unknown): void => console.log(JSON.stringify(value));

const run = await weir.run<typeof forking>(module, { set: { epochs: 6, rate: 0.02 }, seed: 3, folder });
const seen: unknown[] = [];
for await (const { network, number } of run.stream('updates')) {
  seen.push(number);
  if (network === 'none' && number === 5) run.stop();
}
say([await run.finished, seen.slice(0, 6)]);

const again = await weir.resume(folder);
const updates: unknown[] = [];
for await (const { network, number } of again.stream('updates')) if (network === 'none') updates.push(number);
say([await again.finished, updates]);

const refusals = [
  () => weir.run(module, { set: { rat: 1 } as object, folder: `${folder}-2` }),
  () => weir.run(module, { set: { epochs: '6' } as object, folder: `${folder}-2` }),
  () => weir.run(module, { folder }),
  () => weir.resume(folder, { set: { rat: 1 } as object }),
  () => weir.resume(folder, { set: { epochs: '8' } as object }),
  () => weir.resume<typeof forking>(folder, { set: { epochs: 4 } }),
  () => weir.resume<typeof forking>(folder, { set: { hidden: 9 } }),
  async () => {
    for await (const one of again.stream('update')) say(one);
  },
];
for (const refused of refusals) {
  await refused().then(
    () => say('not refused'),
    (error: weir.WeirError) => say([error.name, error.message, error.remedy]),
  );
}

const longer = await weir.resume<typeof forking>(folder, { set: { epochs: 8 } });
say(await longer.finished);
