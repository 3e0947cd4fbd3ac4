/** Lets Node read TypeScript in this thread from now on. What is compiled is kept as `compiledCache` says. */
export function readTypeScript(): Promise<void>;

/**
 * From now on a .ts file is an ES module wherever it lies, be there a package.json that says so or not. An import of Weir by its name, or
 * of RxJS, from a folder that has no copy of it leads to the one that runs.
 */
export function sourcesAreModules(): void;
