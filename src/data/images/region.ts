/** A part of an image, in pixels. */
export interface Region {
  top: number;
  left: number;
  height: number;
  width: number;
}
