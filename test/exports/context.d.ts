import type * as fs from 'node:fs';
import type * as rxjs from 'rxjs';
import type { Observable } from 'rxjs';
import type * as weir from 'weir-engine';
import type { Report } from 'weir-engine/report';

// What an example takes for granted: data, networks and streams that a reader has.

// Data.
export declare const train: weir.Dataset;
export declare const validation: weir.Dataset;
export declare const test: weir.Dataset & ((name: string, run: () => Promise<void>) => void);
export declare const points: weir.Dataset;
export declare const flowers: weir.Dataset;
export declare const parts: weir.SplitParts<weir.Dataset>;
export declare const image: weir.Image;
export declare const out: Float32Array;
export declare const file: string;

// Learning.
export declare const seed: number;
export declare const model: weir.Model;
export declare const backbone: weir.Model;
export declare const weights: weir.Weights;
export declare const gradients: weir.Gradients;
export declare const regularizer: weir.SpectralRegularizer;
export declare const networks: weir.Ensemble;
export declare const ofNetworks: weir.EnsembleRegularizer;

// Streams.
export declare const map: typeof rxjs.map;
export declare const samples$: Observable<weir.Samples>;
export declare const batches$: Observable<weir.Samples>;
export declare const updates$: Observable<weir.Update>;
export declare const ensembleUpdates$: Observable<weir.EnsembleUpdate>;
export declare const ensembleTicks$: Observable<weir.TickedEnsemble>;
export declare const validations$: Observable<weir.Accuracy>;
export declare const images$: Observable<weir.Image>;
export declare const pool: { run(image: weir.Image): Promise<weir.Image> };

// A pipeline and its runs.
export declare const config: { readonly from: string; readonly directions: 'usual' | 'exact' };
export declare const network: weir.Network;
export declare const report: Report;
export declare const small: weir.Pipeline<{ readonly epochs: weir.z.ZodDefault<weir.z.ZodInt> }>;
export declare const mnist: weir.Pipeline<{ readonly gamma: weir.z.ZodDefault<weir.z.ZodNumber> }>;
export declare const createdAt: string;
export declare const labels: Uint8Array;
export declare const writeFileSync: typeof fs.writeFileSync;

// Parts of one's own.
export declare const cnn: (filters: number) => weir.Model;
export declare const orthogonal: (model: weir.Model, strength: weir.Strength) => weir.Regularizer;
export declare const focal: (gamma: number) => weir.Loss;
export declare const lion: (options: { readonly rate: number }) => weir.Optimizer;
export declare const randomErasing: (options: { readonly size: number }) => weir.OpData;
export declare const descent: (
  model: weir.Model,
  samples: weir.LabeledSamples,
  options: weir.AttackOptions,
) => weir.StageOperator<weir.AttackedUpdate, weir.AttackResult, weir.AttackState<null>>;
export declare const weightSizes: () => weir.Stage<weir.Update, { readonly below: number }, null>;
