import { type RenderTask, serve } from '../src/data/augment/pool.js';

/** Renders a block of samples in a worker thread. */
export default (task: RenderTask): Promise<unknown> => serve(task);
