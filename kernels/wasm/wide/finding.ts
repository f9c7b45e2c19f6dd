/** Whether pairs of 128-bit operations run as 256-bit ones, and why. */
export interface WideFinding {
  readonly on: boolean;
  readonly reason: string;
}
