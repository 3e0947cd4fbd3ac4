import { TestScheduler } from 'rxjs/testing';
import { expect } from 'vitest';

/** RxJS's virtual time, with vitest's comparison. */
export const marbles = (): TestScheduler => new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted));
