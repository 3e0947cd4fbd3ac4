import { visibleLine } from '../../../flow/core-terminal.js';
import { isOtherImage } from './image-folder-listing.js';

/** What a folder of images holds, before anything is trained on it. */
export interface FolderReport {
  readonly folder: string;
  readonly layout: string;
  readonly split: string | undefined;
  /** Images that can be read, and the bytes they take. */
  readonly images: number;
  readonly bytes: number;
  readonly classes: readonly { readonly name: string; readonly images: number }[];
  /** Width and height, least and most. */
  readonly width: readonly [least: number, most: number];
  readonly height: readonly [least: number, most: number];
  /** Files that lie among the images and are not read: their ending, or what they are. */
  readonly passedOver: readonly { readonly what: string; readonly files: number }[];
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
}

const SHOWN = 20;

/** A report as lines of text: what there is, how even the classes are, and what cannot be read. */
export const reportLines = (report: FolderReport): string[] => linesOf(report).map(visibleLine);

function linesOf({ folder, split, ...report }: FolderReport): string[] {
  const { images, classes, layout, bytes, width, height, unreadable, passedOver } = report;
  const name = split === undefined ? folder : `${folder} (${split})`;
  const sizes = `${range(...width)} x ${range(...height)} pixels`;
  const lines = [
    `${name}: ${images} images of ${classes.length} classes (${layout}), ${(bytes / 1e6).toFixed(1)} MB, ${sizes}`,
    `  ${balance(classes)}`,
  ];
  if (passedOver.length > 0) {
    const files = passedOver.reduce((sum, { files }) => sum + files, 0);
    const kinds = passedOver.map(({ what, files }) => `${files} ${what}`).join(', ');
    const other = passedOver.some(({ what }) => isOtherImage(what)) ? '; convert images of other kinds to PNG' : '';
    lines.push(`  ${files} ${files === 1 ? 'file' : 'files'} passed over: ${kinds}${other}`);
  }
  if (unreadable.length === 0) return lines;
  lines.push(`  ${unreadable.length} unreadable, left out:`);
  for (const { path, why } of unreadable.slice(0, SHOWN)) lines.push(`    ${path}: ${why}`);
  if (unreadable.length > SHOWN) lines.push(`    and ${unreadable.length - SHOWN} more`);
  return lines;
}

const range = (least: number, most: number): string => (least === most ? String(least) : `${least}–${most}`);

function balance(classes: FolderReport['classes']): string {
  const ordered = [...classes].sort((a, b) => a.images - b.images);
  const [least, most] = [ordered[0]!, ordered.at(-1)!];
  if (least.images === most.images) return `${least.images} of each class`;
  const median = ordered[ordered.length >> 1]!.images;
  return `from ${least.images} of '${least.name}' to ${most.images} of '${most.name}', median ${median}`;
}
