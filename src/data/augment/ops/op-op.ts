import type { Random } from '../../../flow/seed.js';
import type { Image } from '../../images/augment-image.js';

/** An op as data: its name and options. A recipe is a list of them, and crosses to worker threads as it is. */
export interface OpData {
  readonly op: string;
}

/** Shape of a sample, [height, width, channels] for images; undefined is an extent that differs from sample to sample. */
export type OpenShape = readonly (number | undefined)[];

/** Changes one sample in place. `random()` starts this op's own random numbers for this sample, epoch and view. */
export type Apply<Values = Float32Array> = (values: Values, random: () => Random) => void;

/** Each value depends on itself and its channel alone, and on nothing random, so no worker is worth it. */
export interface LightOp<O extends OpData> {
  readonly kind: 'light';
  prepare(op: O, shape: readonly number[]): Apply;
}

/** Values change places, or zeros come in; bytes stay bytes. */
export interface MovingOp<O extends OpData> {
  readonly kind: 'moving';
  prepare(op: O, shape: readonly number[]): Apply<Uint8Array | Float32Array>;
}

/** Bytes 0 to 255 become other bytes, rounded as torchvision rounds tensors of uint8. */
export interface PixelOp<O extends OpData> {
  readonly kind: 'pixels';
  prepare(op: O, shape: readonly number[]): Apply<Uint8Array>;
}

/** An image of any size becomes one of another size. */
export interface ResizingOp<O extends OpData> {
  readonly kind: 'resizing';
  prepare(op: O, shape: OpenShape): Resizing;
}

export interface Resizing {
  /** What comes out; an extent is undefined where it depends on one that is. */
  readonly shape: OpenShape;
  /** @returns memory of the op's own, good until the next call; later ops may change it in place */
  apply(image: Image, random: () => Random): Image;
}

/** Anything else, on floats. */
export interface FreeOp<O extends OpData> {
  readonly kind: 'free';
  prepare(op: O, shape: readonly number[]): Apply;
}

/** What an op's name stands for. `prepare` checks the options against the shape of a sample, and prepares for many samples. */
export type OpDefinition<O extends OpData> = LightOp<O> | MovingOp<O> | PixelOp<O> | ResizingOp<O> | FreeOp<O>;
