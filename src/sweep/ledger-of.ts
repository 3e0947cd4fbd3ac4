import { hostname } from 'node:os';
import { WeirError } from '../flow/errors.js';
import { Ledger } from './sweep-ledger.js';
import { ledgerFolder, type Plan } from './sweep-plan.js';

/** Opens the ledger of the sweep in this folder. @throws {WeirError} when it is another sweep's, or on a disk of another machine */
export function ledgerOf(folder: string, plan: Plan): Ledger {
  if (plan.host !== undefined && plan.host !== hostname()) {
    throw new WeirError(
      `the ledger of the sweep in ${folder} is on the machine '${plan.host}', in ${plan.ledger}`,
      `go on from there; should that disk be lost, take "ledger" and "host" out of ${folder}/sweep.json`,
    );
  }
  return Ledger.open(ledgerFolder(folder, plan), plan.id);
}
