import { type Observable, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { WeirError } from '../../flow/errors.js';

/**
 * Plays a stream in virtual time: whatever RxJS schedules takes place at once, in its order. What waits for threads, promises or the
 * event loop is then waited for in real time.
 *
 * `see` is told of each item as it comes, and of the virtual milliseconds since the start.
 *
 * @param patience seconds without an item or the end after which the stream counts as stuck
 */
export async function inVirtualTime<T>(
  stream$: Observable<T>,
  see: (item: T, time: number) => void,
  patience: number,
): Promise<void> {
  const scheduler = new TestScheduler(() => undefined);
  const sign = new Subject<void>();
  let ended: { readonly error?: unknown } | undefined;
  const subscription = scheduler.run(() => {
    const begun = scheduler.now();
    const end = (how: { readonly error?: unknown }): void => {
      ended ??= how;
      sign.next();
    };
    return stream$.subscribe({
      next: (item) => {
        try {
          if (ended === undefined) see(item, scheduler.now() - begun);
        } catch (error) {
          return end({ error }); // RxJS would report what an observer throws elsewhere, too late
        }
        sign.next();
      },
      error: (error) => end({ error }),
      complete: () => end({}),
    });
  });
  try {
    while (ended === undefined) await oneOf(sign, patience);
    if ('error' in ended) throw (ended as { readonly error: unknown }).error;
  } finally {
    subscription.unsubscribe();
  }
}

function oneOf(sign: Observable<void>, patience: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.unsubscribe();
      reject(
        new WeirError(
          `the stage neither handed on an item nor ended for ${patience} s`,
          'see what it waits for; it must complete when its source does, and { patience } gives it longer',
        ),
      );
    }, 1000 * patience);
    const waiting = sign.subscribe(() => {
      clearTimeout(timer);
      waiting.unsubscribe();
      resolve();
    });
  });
}
