import { BYTE_TABLE, FLOAT_TABLES, LOOK_UP_STEP } from './constants';

/**
 * Every byte through the table at BYTE_TABLE, LOOK_UP_STEP of them a step.
 *
 * WebAssembly has no vector of look-ups. The gain is that no index is checked, which in JavaScript takes longer than all else.
 */
export function lookUpBytes(from: usize, to: usize, length: i32): void {
  const end = from + length;
  do {
    store<u8>(to, load<u8>(load<u8>(from), BYTE_TABLE));
    store<u8>(to, load<u8>(load<u8>(from, 1), BYTE_TABLE), 1);
    store<u8>(to, load<u8>(load<u8>(from, 2), BYTE_TABLE), 2);
    store<u8>(to, load<u8>(load<u8>(from, 3), BYTE_TABLE), 3);
    store<u8>(to, load<u8>(load<u8>(from, 4), BYTE_TABLE), 4);
    store<u8>(to, load<u8>(load<u8>(from, 5), BYTE_TABLE), 5);
    store<u8>(to, load<u8>(load<u8>(from, 6), BYTE_TABLE), 6);
    store<u8>(to, load<u8>(load<u8>(from, 7), BYTE_TABLE), 7);
    store<u8>(to, load<u8>(load<u8>(from, 8), BYTE_TABLE), 8);
    store<u8>(to, load<u8>(load<u8>(from, 9), BYTE_TABLE), 9);
    store<u8>(to, load<u8>(load<u8>(from, 10), BYTE_TABLE), 10);
    store<u8>(to, load<u8>(load<u8>(from, 11), BYTE_TABLE), 11);
    from += LOOK_UP_STEP;
    to += LOOK_UP_STEP;
  } while (from < end);
}

/** The float of a byte in the first of the three tables. */
function red(byte: usize): f32 {
  return load<f32>(byte << 2, FLOAT_TABLES);
}
function green(byte: usize): f32 {
  return load<f32>(byte << 2, FLOAT_TABLES + 1024);
}
function blue(byte: usize): f32 {
  return load<f32>(byte << 2, FLOAT_TABLES + 2048);
}

/** Every byte to the float of its channel, of red, green and blue side by side, LOOK_UP_STEP of them a step. */
export function lookUpFloats(from: usize, to: usize, length: i32): void {
  const end = from + length;
  do {
    store<f32>(to, red(load<u8>(from)));
    store<f32>(to, green(load<u8>(from, 1)), 4);
    store<f32>(to, blue(load<u8>(from, 2)), 8);
    store<f32>(to, red(load<u8>(from, 3)), 12);
    store<f32>(to, green(load<u8>(from, 4)), 16);
    store<f32>(to, blue(load<u8>(from, 5)), 20);
    store<f32>(to, red(load<u8>(from, 6)), 24);
    store<f32>(to, green(load<u8>(from, 7)), 28);
    store<f32>(to, blue(load<u8>(from, 8)), 32);
    store<f32>(to, red(load<u8>(from, 9)), 36);
    store<f32>(to, green(load<u8>(from, 10)), 40);
    store<f32>(to, blue(load<u8>(from, 11)), 44);
    from += LOOK_UP_STEP;
    to += 4 * LOOK_UP_STEP;
  } while (from < end);
}
