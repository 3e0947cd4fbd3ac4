import { serve } from '../src/feed/augment/pool.js';
import type { Task } from '../src/feed/augment/task.js';

/** Renders a block of samples in a worker thread. */
export default (task: Task): Promise<unknown> => serve(task);
