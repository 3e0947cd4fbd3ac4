import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects JavaScript's garbage now, so that what is resident is what is held. */
export const collectGarbage = runInNewContext('gc') as () => void;
