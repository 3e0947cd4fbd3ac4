import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

const beat = 1000; // milliseconds
const longest = 2 ** 16; // bytes of a message

/**
 * A line between two supervisors: JSON by lines, and a beat every second, so that each hears that the other is there. Emits 'said' with
 * what the other says, and 'gone' when the line is closed.
 */
export class HeartbeatConnection extends EventEmitter<{ said: [unknown]; gone: [] }> {
  private heardAt = performance.now();
  private readonly beating = setInterval(() => this.send({ beat: true }), beat);
  private waiting = '';

  constructor(private readonly socket: Socket) {
    super();
    socket.setNoDelay(true).setEncoding('utf8');
    socket.on('data', (text) => this.take(String(text)));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearInterval(this.beating);
      this.emit('gone');
    });
  }

  /** Seconds since the other was heard last. */
  get silence(): number {
    return (performance.now() - this.heardAt) / 1000;
  }

  send(message: object): void {
    if (this.socket.writable) this.socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Closes the line once what was sent is through. */
  close(): void {
    clearInterval(this.beating);
    this.socket.end();
    this.socket.unref();
  }

  /** Closes the line at once. */
  destroy(): void {
    this.socket.destroy();
  }

  private take(text: string): void {
    this.heardAt = performance.now();
    const lines = (this.waiting + text).split('\n');
    this.waiting = lines.pop()!;
    if (this.waiting.length > longest) this.socket.destroy();
    for (const line of lines) {
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        this.socket.destroy(); // whoever that is, it is no supervisor
        return;
      }
      if (typeof message === 'object' && message !== null && !('beat' in message)) this.emit('said', message);
    }
  }
}
