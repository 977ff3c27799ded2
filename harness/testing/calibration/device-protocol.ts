/** What the gate and the calibration device say to each other: NDJSON on the device's stdin and stdout. */
export type Outage = 'refuse' | 'black-hole';

export type DeviceCommand = {
  readonly type: 'outage';
  /** From now, so that the order is given well before it takes effect. */
  readonly inMs: number;
  readonly forMs: number;
  readonly how: Outage;
};

export type DeviceReport =
  | { readonly type: 'listening'; readonly port: number; readonly dnsPort: number; readonly beaconPort: number }
  /** The truth: when it stopped and when it served again, on CLOCK_MONOTONIC as the device itself read it. */
  | { readonly type: 'outage'; readonly beganNs: string; readonly endedNs: string }
  /** When it had given its first answer after that. */
  | { readonly type: 'answered'; readonly atNs: string };

type Said<T extends DeviceReport['type']> = Extract<DeviceReport, { readonly type: T }>;

/** Is it this report of the device? */
export function isReport<T extends DeviceReport['type']>(type: T): (message: unknown) => message is Said<T> {
  return (message): message is Said<T> => typeof message === 'object' && message !== null && 'type' in message && message.type === type;
}
