import { WeirError } from './errors.js';
import { distinctHeaders, type Header } from './header.js';
import { type Node, path } from './node.js';

/** The nodes of a flow, in the order in which they joined, and all that their edges tell. */
export class Graph {
  readonly nodes: Node[] = [];
  private behindSerial: ReadonlySet<Node> | undefined;

  /** @throws {WeirError} where another node has this name */
  add(node: Node): void {
    if (this.nodes.some(({ name }) => name === node.name)) {
      throw new WeirError(
        `two parts of the graph are called '${node.name}'`,
        "give one of them another name, named('readout attack', tangentAttack(…)): snapshots, taps and the drawn graph go by names",
      );
    }
    this.nodes.push(node);
  }

  /** The node that trains, where there is one. */
  get serial(): Node | undefined {
    return this.nodes.find(({ kind }) => kind === 'serial');
  }

  /** All nodes behind the serial one. Ask when everything is wired. */
  get afterSerial(): ReadonlySet<Node> {
    const { serial } = this;
    this.behindSerial ??= new Set(serial === undefined ? [] : path(serial));
    return this.behindSerial;
  }

  /** Tells each node where it stands to the serial one. */
  markSides(): void {
    const { serial } = this;
    for (const node of this.nodes) {
      node.leadsToSerial = node === serial || leadsTo(node, serial);
      node.afterSerial = this.afterSerial.has(node);
    }
  }

  /** Hands every node the headers of the items that will come to it, sources first. @throws {WeirError} the error of a node */
  introduce(): void {
    const known = new Map<Node, readonly Header[]>();
    const headersOf = (node: Node): readonly Header[] => {
      const headers = known.get(node);
      if (headers !== undefined) return headers;
      known.set(node, []); // a node that is hidden before the serial stage gets none
      const { serial } = this;
      const before = this.nodes.filter((other) => other.downstream.has(node));
      const hidden = before.length === 0 && node.kind !== 'source' && node !== serial && serial !== undefined;
      const incoming = distinctHeaders((hidden ? [serial] : before).flatMap(headersOf));
      node.headers = node.introduce?.(incoming) ?? incoming;
      known.set(node, node.headers);
      return node.headers;
    };
    for (const node of this.nodes) headersOf(node);
  }

  /**
   * The position, as `node` counts, up to which all samples have gone all the way: through the serial stage, or where there is none into the
   * slowest sink. The samples behind it are made again after a resume.
   */
  committed(node: Node): number {
    const { serial } = this;
    if (serial !== undefined && (node === serial || this.afterSerial.has(node))) return serial.left;
    if (node.downstream.size === 0) return node.entered;
    let least = Number.POSITIVE_INFINITY;
    for (const next of node.downstream) {
      const position = next === serial ? serial.left : this.committed(next);
      least = Math.min(least, node.translate?.(position) ?? position);
    }
    return least;
  }
}

const leadsTo = (node: Node, end: Node | undefined): boolean =>
  end !== undefined && node.kind !== 'sink' && node.kind !== 'serial' && path(node).includes(end);
