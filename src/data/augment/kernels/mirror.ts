import {
  assemble,
  constant,
  get,
  type Kernel,
  loadVector,
  locals,
  repeatWhile,
  set,
  shuffle,
  step,
  storeVector,
  zeros,
} from './assembler.js';

/** Pixels that are read and written at once. */
export const AT_ONCE = 5;

/**
 * Mirrors `height` rows of `length` bytes of red, green and blue, `fives` times five pixels each, read from the row's end on. A last five
 * that is not whole reads what is before the row and writes into the next one, which takes it back: memory must go on on both sides.
 */
const mirror = ((): Kernel => {
  const at = locals('from', 'to', 'length', 'height', 'fives', 'left', 'source', 'target');
  const turned = [12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2, 16];
  return {
    name: 'mirror',
    parameters: 5,
    integers: 3,
    vectors: 0,
    body: [
      repeatWhile(
        get(at.height),
        step(at.from, get(at.length)),
        set(at.source, get(at.from)),
        set(at.target, get(at.to)),
        set(at.left, get(at.fives)),
        repeatWhile(
          get(at.left),
          step(at.source, constant(-3 * AT_ONCE)),
          storeVector(get(at.target), shuffle(loadVector(get(at.source)), zeros, turned)),
          step(at.target, constant(3 * AT_ONCE)),
          step(at.left, constant(-1)),
        ),
        step(at.to, get(at.length)),
        step(at.height, constant(-1)),
      ),
    ],
  };
})();

export const mirrorModule = (): Uint8Array<ArrayBuffer> => assemble([mirror]);
