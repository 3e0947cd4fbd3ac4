/// <reference types="node" preserve="true" />

/** What a script imports to run a pipeline over many configs and seeds, typed by the pipeline. @module */

export { type GridOf, type PointOf, type Sweep, type SweepOptions, type SweepSettings, sweep } from './sweep/sweep.js';
