import { WeirError } from '../flow/errors.js';

/** Each option a whole number from 1 to its limit. @throws {WeirError} that names stage, key and value */
export function checkCount(
  stage: string,
  options: Readonly<Record<string, number>>,
  limits: Readonly<Record<string, number>> = {},
): void {
  for (const [key, value] of Object.entries(options)) {
    const limit = limits[key] ?? Number.MAX_SAFE_INTEGER;
    if (Number.isInteger(value) && value >= 1 && value <= limit) continue;
    throw new WeirError(
      `stage '${stage}': ${key} is ${value}`,
      `give ${key} as a whole number from 1 ${limit === Number.MAX_SAFE_INTEGER ? 'on' : `to ${limit}`}`,
    );
  }
}
