import { serve } from '../src/data/augment/augment-pool.js';
import type { Task } from '../src/data/augment/task.js';

/** Renders a block of samples in a worker thread. */
export default (task: Task): Promise<unknown> => serve(task);
