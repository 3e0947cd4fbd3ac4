import type { Data } from '../flow/data.js';
import type { Pulse } from '../flow/meter.js';
import type { TapPolicy } from '../flow/tap.js';
import type { RunEnding } from '../run/watch.js';
import type { Pictures } from './pictures.js';

/** What may be asked of a run; each acts at the next barrier. */
export const actions = ['stop', 'snapshot', 'pause', 'resume'] as const;
export type Action = (typeof actions)[number];

/** The flow's numbers, with what is of the whole process. */
export interface LivePulse extends Pulse {
  /** The part of the time that each rank waited for the others, 0 to 1, by rank; empty where there is one process alone. */
  readonly ranks: readonly number[];
  readonly network: { readonly name: string; readonly index: number; readonly of: number };
  /** Bytes: resident, of JavaScript's heap, and of arrays outside of it. */
  readonly memory: { readonly resident: number; readonly heap: number; readonly arrays: number };
  /** Tensors alive, and their bytes. */
  readonly tensors: { readonly count: number; readonly bytes: number } | null;
  /** Taps from outside: how many are open, and what made way in them and in those before. */
  readonly taps: { readonly open: number; readonly dropped: number };
  /** The longest that the event loop waited since the pulse before, in seconds. */
  readonly loopDelay: number;
}

/** Whether the run moves. */
export interface Going {
  readonly state: 'running' | 'pausing' | 'paused' | 'stopping' | RunEnding;
  /** What the run last told its terminal. */
  readonly note: string;
}

/** What is asked of a tap. */
export interface TapRequest {
  readonly edge: string;
  readonly policy: TapPolicy;
  /** Items a second at most; undefined: as they come. */
  readonly rate?: number;
}

/** An item that a tap read; `dropped` counts all that had to make way until then. */
export interface TapItem {
  readonly position: number;
  /** Milliseconds since the tap was opened. */
  readonly time: number;
  readonly dropped: number;
  readonly item: Data;
}

/** What the training thread tells the control server. One pulse and one item a tap are under way at a time. */
export type ToThread =
  | { readonly type: 'pulse'; readonly pulse: LivePulse }
  | { readonly type: 'pictures'; readonly pictures: Pictures }
  | { readonly type: 'going'; readonly going: Going }
  | { readonly type: 'item'; readonly tap: number; readonly item: TapItem }
  | {
      readonly type: 'tapped';
      readonly tap: number;
      readonly refused?: { readonly message: string; readonly remedy: string };
    }
  | { readonly type: 'untapped'; readonly tap: number; readonly seen: number; readonly dropped: number }
  | { readonly type: 'close' };

/** What the control server asks of the training thread. */
export type FromThread =
  | { readonly type: 'listening'; readonly url: string | undefined }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'watching'; readonly viewers: number }
  | { readonly type: 'seen' }
  | { readonly type: 'do'; readonly action: Action }
  | { readonly type: 'tap'; readonly tap: number; readonly request: TapRequest }
  | { readonly type: 'ack'; readonly tap: number }
  | { readonly type: 'untap'; readonly tap: number };
