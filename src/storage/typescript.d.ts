/** How Weir's own modules end: '.ts' in a checkout, which runs from its sources, and '.js' in the package, which needs no loader. */
export function extension(): '.ts' | '.js';

/** The file of a worker thread: it lies in the checkout's `workers`, and in the package beside the rooms. */
export function workerFile(name: string): URL;

/** Lets Node read TypeScript in this thread from now on. What is compiled is kept as `compiledCache` says. */
export function readTypeScript(): Promise<void>;

/**
 * Lets Node read modules of the user's from now on. A .ts file is an ES module wherever it lies, be there a package.json that says so or
 * not. `weir-engine` is the copy of Weir that is running; RxJS is found from a folder that has no copy of it too.
 */
export function readModules(): Promise<void>;
