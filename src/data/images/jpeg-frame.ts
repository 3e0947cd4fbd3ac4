/** What a JPEG says of itself before its pixels begin. */
export interface JpegFrame {
  /** The last of the marker's two bytes: 0xc0 baseline, 0xc1 extended, 0xc2 progressive; others are rare. */
  readonly process: number;
  /** Bits of a sample. */
  readonly precision: number;
  readonly height: number;
  readonly width: number;
  readonly components: number;
  /** Whether EXIF stands anywhere in the header, before or behind the frame: it may hold an orientation. */
  readonly exif: boolean;
}

/** The frame of a JPEG, from all of its header; undefined for another kind of file, and where no frame or no end of the header is found. */
export function frameOf(bytes: Uint8Array): JpegFrame | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const word = (at: number): number => bytes[at]! * 256 + bytes[at + 1]!;
  let exif = false;
  let frame: Omit<JpegFrame, 'exif'> | undefined;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === SCAN) return frame && { ...frame, exif };
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [word(at + 5), word(at + 7)];
      frame = { process: marker, precision: bytes[at + 4]!, height, width, components: bytes[at + 9]! };
    }
    exif ||= marker === 0xe1 && EXIF.every((byte, i) => bytes[at + 4 + i] === byte);
    at += 2 + word(at + 2);
  }
  return undefined;
}

/** The marker of a scan: the pixels begin, and no decoder looks for an orientation behind it. */
const SCAN = 0xda;

const EXIF = [...Buffer.from('Exif')];
