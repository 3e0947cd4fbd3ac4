export { cacheFolder } from './compiled-cache.js';
