import { WeirError } from '../../flow/errors.js';

/** The progress of set-up. Steps without a size have neither `done` nor `total`. */
export interface SetUpProgress {
  readonly step: 'wait' | 'download' | 'verify' | 'unpack' | 'compile' | 'link' | 'instead' | 'done';
  /** The package or file of this step, for the user. */
  readonly what: string;
  /** Bytes. */
  readonly done?: number;
  readonly total?: number;
}

export type SetUpListener = (progress: SetUpProgress) => void;

const words: Record<SetUpProgress['step'], string> = {
  wait: 'waiting for',
  download: 'downloading',
  verify: 'verifying',
  unpack: 'unpacking',
  compile: 'compiling',
  link: 'linking',
  instead: 'going on with',
  done: 'ready:',
};

/** Prints a line when a step begins, and one every quarter of a long download. */
export function plainLines(write: (line: string) => void): SetUpListener {
  let last = '';
  return ({ step, what, done = 0, total }) => {
    const quarter = total !== undefined && total > 5e6 ? Math.floor((4 * done) / total) : 0;
    const size = total !== undefined && total > 5e6 ? ` (${(total / 1e6).toFixed(0)} MB)` : '';
    const share = quarter > 0 && quarter < 4 ? `: ${quarter * 25} %` : '';
    const line = `${words[step]} ${what}${size}${share}`;
    if (quarter === 4 || line === last) return;
    last = line;
    write(`weir: ${line}`);
  };
}

/** The reason why the native runtime cannot be set up. With runtime `auto`, WebAssembly takes its place. */
export class SetUpFailure extends WeirError {
  override name = 'SetUpFailure';
}

/** Whether an error says that the file system is full. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** The disk filled up while something was being written to `folder`. */
export function diskFull(folder: string, cause?: unknown): SetUpFailure {
  return new SetUpFailure(
    `set-up ran out of disk under ${folder}`,
    'free some space, or name a folder on another disk with WEIR_CACHE; a step that was not finished starts over',
    { cause },
  );
}
