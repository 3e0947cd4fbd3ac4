/**
 * As much of a WebAssembly assembler as a few loops need: code is bytes in nested lists, named by what the specification calls them.
 * So kernels stand in the source as text, and nothing has to be compiled or shipped beside it.
 */
export type Code = readonly (number | Code)[];

/** A function without a result; its locals are the parameters (i32), then more of i32, then of v128. */
export interface Kernel {
  readonly name: string;
  readonly parameters: number;
  readonly integers: number;
  readonly vectors: number;
  readonly body: Code;
}

const I32 = 0x7f;
const V128 = 0x7b;
const VOID = 0x40;

/** Unsigned and signed LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const low = rest & 0x7f;
    const done = rest >> 7 === (low & 0x40 ? -1 : 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [value, 0x21, ...unsigned(local)];
export const constant = (value: number): Code => [0x41, ...signed(value)];
export const add = (a: Code, b: Code): Code => [a, b, 0x6a];
export const times = (a: Code, b: Code): Code => [a, b, 0x6c];
export const lessThan = (a: Code, b: Code): Code => [a, b, 0x48];
export const subtractOne = (a: Code, b: Code): Code => [a, b, 0x6b];
export const shiftOne = (a: Code, bits: Code): Code => [a, bits, 0x74];
export const load = (at: Code, offset = 0): Code => [at, 0x28, 2, ...unsigned(offset)];
/** Of one byte, 16-bit integer or float, `offset` bytes on. */
export const loadByte = (at: Code, offset: number): Code => [at, 0x2d, 0, ...unsigned(offset)];
export const storeByte = (at: Code, value: Code, offset: number): Code => [at, value, 0x3a, 0, ...unsigned(offset)];
export const loadShort = (at: Code, offset: number): Code => [at, 0x2f, 1, ...unsigned(offset)];
export const storeShort = (at: Code, value: Code, offset: number): Code => [at, value, 0x3b, 1, ...unsigned(offset)];
export const loadFloat = (at: Code, offset: number): Code => [at, 0x2a, 2, ...unsigned(offset)];
export const storeFloat = (at: Code, value: Code, offset: number): Code => [at, value, 0x38, 2, ...unsigned(offset)];

/** Locals by name, numbered in their order: parameters first, then integers, then vectors. */
export const locals = <Name extends string>(...names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((key, i) => [key, i])) as Record<Name, number>;
/** Moves a local on. */
export const step = (local: number, by: Code): Code => set(local, add(get(local), by));

/** Repeats while the condition holds at the end: once at least. */
export const repeatWhile = (condition: Code, ...body: readonly Code[]): Code => [
  0x03,
  VOID,
  body,
  condition,
  0x0d,
  0,
  0x0b,
];

const simd = (...code: number[]): number[] => [0xfd, ...unsigned(code[0]!), ...code.slice(1)];

export const loadVector = (at: Code): Code => [at, simd(0x00, 0, 0)];
/** Eight bytes, and zeros above them. */
export const loadHalf = (at: Code): Code => [at, simd(0x5d, 0, 0)];
/** Eight bytes as 16-bit integers. */
export const loadBytesAsShorts = (at: Code): Code => [at, simd(0x02, 0, 0)];
/** Four bytes, four times. */
export const loadSplat = (at: Code, offset = 0): Code => [at, simd(0x09, 0, ...unsigned(offset))];
export const storeVector = (at: Code, value: Code): Code => [at, value, simd(0x0b, 0, 0)];
export const storeHalf = (at: Code, value: Code): Code => [at, value, simd(0x5b, 0, 0, 0)];
export const storeFourBytes = (at: Code, value: Code): Code => [at, value, simd(0x5a, 0, 0, 0)];
export const splat = (value: Code): Code => [value, simd(0x11)];
export const zeros: Code = simd(0x0c, ...new Array<number>(16).fill(0));
export const shuffle = (a: Code, b: Code, lanes: readonly number[]): Code => [a, b, simd(0x0d, ...lanes)];
/** The lower, or upper, eight bytes as 16-bit integers. */
export const extendLow = (a: Code): Code => [a, simd(0x89)];
export const extendHigh = (a: Code): Code => [a, simd(0x8a)];
/** Products of 16-bit integers, neighbors added, to 32 bits. */
export const dot = (a: Code, b: Code): Code => [a, b, simd(0xba)];
export const addVectors = (a: Code, b: Code): Code => [a, b, simd(0xae)];
export const addShorts = (a: Code, b: Code): Code => [a, b, simd(0x8e)];
export const addFloats = (a: Code, b: Code): Code => [a, b, simd(0xe4)];
export const timesFloats = (a: Code, b: Code): Code => [a, b, simd(0xe6)];
/** 32-bit integers to floats, and back, rounded towards 0. */
export const toFloats = (a: Code): Code => [a, simd(0xfa)];
export const toIntegers = (a: Code): Code => [a, simd(0xf8)];
export const subtract = (a: Code, b: Code): Code => [a, b, simd(0xb1)];
export const timesVectors = (a: Code, b: Code): Code => [a, b, simd(0xb5)];
export const smaller = (a: Code, b: Code): Code => [a, b, simd(0xb6)];
export const larger = (a: Code, b: Code): Code => [a, b, simd(0xb8)];
export const absolute = (a: Code): Code => [a, simd(0xa0)];
/** All bits of a lane where it holds, none where not. */
export const isLess = (a: Code, b: Code): Code => [a, b, simd(0x39)];
export const and = (a: Code, b: Code): Code => [a, b, simd(0x4e)];
/** a & ~b. */
export const andNot = (a: Code, b: Code): Code => [a, b, simd(0x4f)];
export const shiftLeft = (a: Code, bits: Code): Code => [a, bits, simd(0xab)];
export const shiftRight = (a: Code, bits: Code): Code => [a, bits, simd(0xac)];
/** 32 to 16 bits, and 16 to 8 without a sign; what does not fit is cut. */
export const narrow32 = (a: Code, b: Code): Code => [a, b, simd(0x85)];
export const narrow16 = (a: Code, b: Code): Code => [a, b, simd(0x66)];

const flat = (code: Code): number[] => code.flat(Number.POSITIVE_INFINITY as 1) as number[];
const list = (items: readonly Code[]): Code => [unsigned(items.length), ...items];
const section = (id: number, content: Code): Code => {
  const bytes = flat(content);
  return [id, unsigned(bytes.length), bytes];
};
const name = (text: string): Code => list([...Buffer.from(text)].map((byte) => [byte]));

/** A module that exports the kernels and its `memory`. */
export function assemble(kernels: readonly Kernel[]): Uint8Array<ArrayBuffer> {
  const types = kernels.map(({ parameters }) => [0x60, list(new Array<Code>(parameters).fill([I32])), 0]);
  const bodies = kernels.map(({ integers, vectors, body }) => {
    const locals = list([
      [unsigned(integers), I32],
      [unsigned(vectors), V128],
    ]);
    const bytes = flat([locals, body, 0x0b]);
    return [unsigned(bytes.length), bytes];
  });
  const exports = [[name('memory'), 2, 0], ...kernels.map((kernel, i): Code => [name(kernel.name), 0, unsigned(i)])];
  return Uint8Array.from(
    flat([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, list(types)),
      section(3, list(kernels.map((_, i) => unsigned(i)))),
      section(5, list([[0, 1]])),
      section(7, list(exports)),
      section(10, list(bodies)),
    ]),
  );
}
