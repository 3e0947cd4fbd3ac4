import { bytewise } from '../storage/crc32.js';

/** CRC-32C (Castagnoli), as TFRecord files carry it: rotated and with a constant added, so that a checksum of checksums is none. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

export const crc32c = bytewise(0x82f63b78);
