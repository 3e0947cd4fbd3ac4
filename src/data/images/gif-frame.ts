/** The first frame of a GIF, made opaque. */
export interface OpaqueGif {
  /** The file, its first frame without a transparent color: every index stands for its palette's color. */
  readonly bytes: Uint8Array;
  /** Where the frame lies on its screen, and the color around it; undefined where it covers all of it. */
  readonly within?: {
    readonly frame: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
    readonly around: {
      readonly left: number;
      readonly top: number;
      readonly right: number;
      readonly bottom: number;
      readonly background: { readonly r: number; readonly g: number; readonly b: number };
    };
  };
}

/**
 * A GIF whose transparency is left out as Pillow's RGB leaves it out: a transparent index shows its palette's color, where libvips makes
 * black of it. Around a frame smaller than its screen Pillow has the transparent index, or else the first.
 *
 * @returns undefined for another kind of file, and where no frame is found
 */
export function opaqueGif(bytes: Uint8Array): OpaqueGif | undefined {
  if (!GIF_MAGIC.every((byte, i) => bytes[i] === byte)) return undefined;
  const colors = (packed: number): number => (packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0);
  let at = 13 + colors(bytes[10]!);
  let control: number | undefined; // where the frame's flags are
  while (at < bytes.length) {
    if (bytes[at] === 0x2c) {
      const opaque = new Uint8Array(bytes); // a copy: a Buffer's own `slice` is none
      const transparent = control !== undefined && (bytes[control]! & 1) === 1 ? bytes[control + 3]! : 0;
      if (control !== undefined) opaque[control]! &= ~1;
      const local = colors(bytes[at + 9]!) > 0;
      const [r = 0, g = 0, b = 0] = bytes.subarray((local ? at + 10 : 13) + 3 * transparent);
      const word = (from: number): number => bytes[from]! + 256 * bytes[from + 1]!;
      const [left, top, width, height] = [word(at + 1), word(at + 3), word(at + 5), word(at + 7)];
      const [right, bottom] = [word(6) - left - width, word(8) - top - height];
      const covers = left === 0 && top === 0 && right <= 0 && bottom <= 0;
      if (covers || right < 0 || bottom < 0) return { bytes: opaque };
      const around = { left, top, right, bottom, background: { r, g, b } };
      return { bytes: opaque, within: { frame: { left, top, width, height }, around } };
    }
    if (bytes[at] !== 0x21) return undefined;
    if (bytes[at + 1] === 0xf9) control = at + 3;
    for (at += 2; at < bytes.length && bytes[at] !== 0; ) at += bytes[at]! + 1;
    at++;
  }
  return undefined;
}

const GIF_MAGIC = [...Buffer.from('GIF8')];
