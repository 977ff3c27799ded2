import { createSocket, type Socket } from 'node:dgram';
import type { Clock } from '../../platform/clock.ts';

const PERIOD_MS = 10;
/** A datagram that has not come back after this is lost. */
const LOST_AFTER_MS = 100;

interface Sent {
  readonly atMs: number;
  backMs: number | null;
}

/**
 * Steady 10 ms datagrams to the device, as the lab sends them over a link: how the gate knows when an outage began without
 * asking the device. Owner: the lane; close() ends it.
 */
export class Beacon {
  readonly #clock: Clock;
  readonly #socket: Socket = createSocket('udp4');
  readonly #sent: Sent[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(clock: Clock, port: number) {
    this.#clock = clock;
    this.#socket.on('message', (datagram) => {
      const sent = this.#sent[datagram.readUInt32BE(0)];
      if (sent !== undefined) sent.backMs = this.#clock.nowMs();
    });
    this.#socket.on('error', () => undefined);
    this.#timer = setInterval(() => this.#send(port), PERIOD_MS);
  }

  #send(port: number): void {
    const datagram = Buffer.alloc(4);
    datagram.writeUInt32BE(this.#sent.length);
    this.#sent.push({ atMs: this.#clock.nowMs(), backMs: null });
    this.#socket.send(datagram, port, '127.0.0.1', () => undefined);
  }

  /**
   * The first stretch of lost datagrams after sinceMs: the device was there when the last one that came back was sent, and
   * away when the first lost one reached it, at most one usual round trip after it was sent. null: none was lost.
   */
  effectAfter(sinceMs: number): readonly [number, number] | null {
    const settled = this.#sent.filter(({ atMs }) => atMs < this.#clock.nowMs() - LOST_AFTER_MS);
    const lost = settled.findIndex(({ atMs, backMs }) => atMs >= sinceMs && backMs === null);
    const first = settled[lost];
    const last = settled[lost - 1];
    if (first === undefined || last === undefined) return null;
    const usual = settled.slice(Math.max(0, lost - 100), lost).map(({ atMs, backMs }) => (backMs ?? atMs) - atMs);
    return [last.atMs, first.atMs + Math.max(...usual)];
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }
}
