/** Lets Node read TypeScript in this thread from now on. What is compiled is kept as `compiledCache` says. */
export function readTypeScript(): Promise<void>;

/** From now on a .ts file is an ES module wherever it lies, be there a package.json that says so or not. */
export function sourcesAreModules(): void;
