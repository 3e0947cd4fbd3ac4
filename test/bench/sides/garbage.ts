import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects JavaScript's garbage now, so that resident memory is memory in use. */
export const collectGarbage = runInNewContext('gc') as () => void;
