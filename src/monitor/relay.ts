import { WeirError } from '../flow/errors.js';
import type { Action } from './messages.js';
import { reach } from './monitor-client.js';
import type { ViewModel } from './scene.js';

const pause = 2000; // milliseconds between two tries

/**
 * Brings what a running process tells into a scene that another process shows, through its socket; where nothing runs, or it is
 * another user's, tries again now and then.
 *
 * @returns what ends it
 */
export function relay(run: string, scene: ViewModel): () => void {
  let over = false;
  let close: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const go = async (): Promise<void> => {
    try {
      const live = await reach(run, 'GET', '/api/live');
      close = live.close;
      let event = '';
      for await (const line of live.lines) {
        if (line.startsWith('event: ')) event = line.slice(7);
        else if (line.startsWith('data: ') && event !== 'begin') scene.tell(event, JSON.parse(line.slice(6)));
      }
    } catch {
      // not running, or not to be reached: its files are shown
    }
    scene.gone();
    if (!over) timer = setTimeout(() => void go(), pause).unref();
  };
  void go();
  return () => {
    over = true;
    clearTimeout(timer);
    close();
  };
}

/** Asks the running process. @returns false where it does not answer */
export async function ask(run: string, action: Action): Promise<boolean> {
  try {
    (await reach(run, 'POST', `/api/do/${action}`)).close();
    return true;
  } catch (error) {
    if (error instanceof WeirError) return false;
    throw error;
  }
}
