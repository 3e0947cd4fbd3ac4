import { credit } from '../flow/demand.js';
import type { Flow } from '../flow/flow.js';
import { listen, type Node, path } from '../flow/node.js';
import { Tap } from '../flow/tap.js';
import type { Fault } from './graph.js';
import type { Before, GraphPlan } from './plan.js';

/** What a snapshot has promised: the newest update that a finished one holds. It stands over kills and failures of power. */
export interface Promised {
  update: number;
}

/** The engine's rules, as far as they can be read off a flow while it runs. */
export class Rules {
  private readonly broken = new Set<string>();

  constructor(
    private readonly graph: GraphPlan,
    private readonly promised: Promised,
    private readonly fault: Fault,
  ) {}

  /** A network begins, from its beginning or from a snapshot: never from an older one than was promised. */
  begun(resumed = 0): void {
    if (resumed < this.promised.update)
      this.breaks(
        `it goes on from update ${resumed}, though the snapshot of update ${this.promised.update} was written`,
      );
  }

  saved(update: number): void {
    if (update < this.promised.update)
      this.breaks(`the snapshot of update ${update} comes after that of update ${this.promised.update}`);
    this.promised.update = update;
  }

  /** Bounds hold at every moment: of each node, and of all that a source has outside. */
  check(flow: Flow): void {
    const { samples } = this.graph;
    const joined = this.graph.before.reduce((size, one) => (one.kind === 'batch' ? size * one.size : size), 1);
    const largest = samples * joined * this.branches;
    for (const node of flow.nodes) {
      if (node.held < 0) this.breaks(`'${node.name}' holds ${node.held} samples`);
      if (node.kind === 'source') this.checkSource(node, largest);
      else if (node.held > Math.max(node.limit, largest) + largest && !this.bursts)
        // and the rest of a batch, at the end of the data
        this.breaks(`'${node.name}' holds ${node.held} samples of ${node.limit}`);
    }
  }

  /** At the end nothing is left on the way, and nobody waits. */
  ended(flow: Flow): void {
    for (const node of flow.nodes)
      if (node.held !== 0) this.breaks(`'${node.name}' still holds ${node.held} samples at the end`);
  }

  /** Taps a node that never gets an answer from its reader, or gets one late: nothing may wait for it. */
  tap(flow: Flow | undefined): void {
    const node = flow?.nodes.find(({ kind }) => kind === 'workers' || kind === 'serial');
    if (node === undefined) return;
    const one = new Tap('stuck', { keep: 'latest' }, () => new Promise<void>(() => undefined));
    listen(node, (item) => one.see(item));
  }

  private checkSource(source: Node, largest: number): void {
    if (this.graph.before.some(({ kind }) => kind === 'filter')) return; // the samples that it drops count with the item after them, once that is here
    const keepsBack = this.graph.before.some(({ kind }) => kind.startsWith('rx-'));
    const most = this.branches * ((keepsBack ? 2 : 1) * Math.max(source.limit, largest) + (keepsBack ? largest : 0));
    const { outside } = credit(source);
    if (outside > most) this.breaks(`'${source.name}' has ${outside} samples outside of ${source.limit}`);
    if (outside < 0) this.breaks(`'${source.name}' has ${outside} samples outside`);
    for (const node of path(source))
      if (node.entered > source.left && node.translate === undefined && this.branches === 1)
        this.breaks(`'${node.name}' has samples that never left '${source.name}'`);
  }

  /** Whether several items come at once, of which those that find no room wait within the bound of the source. */
  private get bursts(): boolean {
    return this.graph.before.some(({ kind }) => kind === 'several' || kind === 'fork' || kind.startsWith('rx-'));
  }

  /** How many samples one of the source counts for behind forks, and behind stages that make several items of one. */
  private get branches(): number {
    const times = (one: Before): number =>
      one.kind === 'fork' ? one.branches : one.kind === 'several' ? one.count : 1;
    return this.graph.before.reduce((product, one) => product * times(one), 1);
  }

  /** Says each thing once. */
  private breaks(text: string): void {
    const kind = text.replace(/\d+/g, 'n');
    if (this.broken.has(kind)) return;
    this.broken.add(kind);
    this.fault(text);
  }
}
