import type { TapPolicy } from '../flow/tap.js';
import type { TapRequest } from './messages.js';
import type { ArraysAs } from './wire.js';

/** What the address of a tap asks for. @returns words where it asks for something that there is not */
export function tapRequest(
  query: URLSearchParams,
): { readonly request: TapRequest; readonly arrays: ArraysAs } | string {
  const edge = query.get('edge') ?? '';
  const arrays = query.get('arrays') ?? 'summary';
  if (edge === '' || edge.length > 200) return 'a tap needs the name of an edge';
  if (arrays !== 'summary' && arrays !== 'base64') return `arrays are given as summary or base64, not as '${arrays}'`;
  const policy = policyOf(query.get('policy') ?? 'latest');
  if (policy === undefined) return 'a policy is latest, sample:EVERY or buffer:SIZE, from 1 to 10000';
  const rate = query.get('rate');
  if (rate !== null && !(Number(rate) > 0 && Number(rate) <= 1e6))
    return 'a rate is a number of items a second above 0';
  return { request: { edge, policy, ...(rate !== null && { rate: Number(rate) }) }, arrays };
}

/** `latest`, `sample:10` or `buffer:64`; undefined where it is none of them. */
export function policyOf(text: string): TapPolicy | undefined {
  if (text === 'latest') return { keep: 'latest' };
  const [, keep, digits] = /^(sample|buffer):(\d{1,5})$/.exec(text) ?? [];
  const count = Number(digits);
  if (!(count >= 1 && count <= 10_000)) return undefined;
  return keep === 'sample' ? { keep, every: count } : { keep: 'buffer', size: count };
}
