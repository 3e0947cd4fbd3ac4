/** As much as is used of three libraries that have no types of their own. */

declare module 'fontkit' {
  /** A font whose tables are decoded as they are needed. */
  export interface Font {
    readonly postscriptName: string;
  }

  export function openSync(file: string): Font;
}

declare module 'pdfkit' {
  import type { Readable } from 'node:stream';
  import type { Font } from 'fontkit';

  interface Options {
    readonly autoFirstPage: boolean;
    readonly info: Readonly<Record<string, string | Date>>;
  }

  interface PageOptions {
    readonly size: readonly [width: number, height: number];
    readonly margin: number;
  }

  /** A stream of a document's bytes. */
  export default class PDFDocument extends Readable {
    constructor(options: Options);
    registerFont(name: string, font: Font): this;
    addPage(options: PageOptions): this;
    end(): void;
  }
}

declare module 'svg-to-pdfkit' {
  import type PDFDocument from 'pdfkit';

  interface Options {
    readonly width: number;
    readonly height: number;
    readonly assumePt: boolean;
    fontCallback(family: string, bold: boolean): string;
    warningCallback(message: string): void;
  }

  export default function svgToPdf(document: PDFDocument, svg: string, x: number, y: number, options: Options): void;
}
