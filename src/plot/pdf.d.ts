/** As much as is used of two libraries that have no types of their own. */

declare module 'pdfkit' {
  import type { Readable } from 'node:stream';

  interface Options {
    readonly size: readonly [width: number, height: number];
    readonly margin: number;
    readonly info: Readonly<Record<string, string | Date>>;
  }

  /** A document of one page; a stream of its bytes. */
  export default class PDFDocument extends Readable {
    constructor(options: Options);
    registerFont(name: string, file: string): this;
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
