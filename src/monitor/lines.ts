const longest = 2 ** 24; // bytes; a longer line is not one of ours

/** Cuts bytes that come piece by piece into lines. Bound: a line that is not whole yet; one that grows too long is left out. */
export class Lines {
  private rest: Buffer = Buffer.alloc(0);

  /** The lines that are whole now. */
  *add(bytes: Buffer): Generator<string> {
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    let start = 0;
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, start)) {
      yield all.toString('utf8', start, end);
      start = end + 1;
    }
    this.rest = all.length - start > longest ? Buffer.alloc(0) : Buffer.from(all.subarray(start));
  }
}
