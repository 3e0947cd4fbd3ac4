import { WeirError } from '../flow/errors.js';

/** One thing that `weir doctor` looked at. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to do where it is not ok. */
  readonly remedy?: string;
}

/** Looks, and makes a failed check of an error. */
export async function check(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, found: await look() };
  } catch (error) {
    const remedy = error instanceof WeirError ? error.remedy : undefined;
    return { name, ok: false, found: (error as Error).message, ...(remedy !== undefined && { remedy }) };
  }
}
