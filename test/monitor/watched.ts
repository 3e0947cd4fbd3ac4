import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Where a monitor is, as it was printed: its address and its token. */
export class Monitor {
  readonly base: string;
  readonly token: string;

  constructor(readonly url: string) {
    [this.base, this.token] = url.split('/#token=') as [string, string];
  }

  /** In what a command has said. */
  static in(said: string): Monitor {
    const file = /with its token in (.+), which you alone can read/.exec(said)?.[1]; // no terminal: the token is not printed
    return new Monitor(file === undefined ? /http:\S+/.exec(said)![0] : readFileSync(file, 'utf8').trim());
  }

  ask(path: string, method: 'GET' | 'POST' = 'GET', headers: Record<string, string> = {}): Promise<Answer> {
    return asked(request(`${this.base}${path}`, { method, headers }));
  }

  act(action: string): Promise<Answer> {
    return this.ask(`/api/do/${action}`, 'POST', { 'X-Weir-Token': this.token });
  }

  /** Follows the events until one of this name is as asked. */
  async event<T>(name: string | RegExp, isIt: (data: T) => boolean = () => true): Promise<T> {
    const abort = new AbortController();
    const answer = await fetch(`${this.base}/api/events`, { signal: abort.signal });
    let text = '';
    for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const events = text.split('\n\n');
      text = events.pop()!;
      for (const event of events) {
        const [, found, json] = /event: (.*)\ndata: (.*)/.exec(event) ?? [];
        if (typeof name === 'string' ? found !== name : !name.test(found ?? '')) continue;
        const data = JSON.parse(json!) as T;
        if (!isIt(data)) continue;
        abort.abort();
        return data;
      }
    }
    throw new Error(`the events ended without '${name}'`);
  }
}

/** Asks a run through its socket, as the user who started it. */
export function throughSocket(run: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { socket } = JSON.parse(readFileSync(join(run, 'control.json'), 'utf8')) as { socket: string };
  return asked(request({ socketPath: socket, path, headers: { Host: 'localhost', ...headers } }));
}

function asked(sent: ReturnType<typeof request>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (answer) => {
      let text = '';
      answer.on('data', (piece) => {
        text += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode!, text }));
    });
    sent.end();
  });
}
