import { serve, type Task } from '../src/data/augment/pool.js';

/** Renders a block of samples in a worker thread. */
export default (task: Task): Promise<unknown> => serve(task);
