/** A decoded image: rows of pixels, the channels of a pixel side by side, bytes 0 to 255. */
export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** [height, width, channels]; the array may be longer. */
  readonly values: Uint8Array;
}

/** An image whose memory is used again for the next one, and grows with it. */
export class Canvas implements Image {
  height = 0;
  width = 0;
  values: Uint8Array = new Uint8Array(0);

  constructor(readonly channels: number) {}

  /** Sets the size; the pixels are then undefined. */
  resize(height: number, width: number): this {
    this.height = height;
    this.width = width;
    const length = height * width * this.channels;
    if (this.values.length < length) this.values = new Uint8Array(length);
    return this;
  }
}

/** A part of an image, in pixels. */
export interface Region {
  top: number;
  left: number;
  height: number;
  width: number;
}
