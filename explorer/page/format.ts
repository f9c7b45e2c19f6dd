/** 12,345: a whole number. `Intl` would take 20 ms of the page's start. */
export const whole = (value: number) => value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',');

export const percent = (value: number) => `${(value * 100).toFixed(value > 0 && value < 0.0995 ? 1 : 0)} %`;
/** Per cent without the sign, for columns. */
export const hundredths = (value: number) =>
  value > 0 && value < 0.0005 ? '0+' : (value * 100).toFixed(value > 0 && value < 0.0995 ? 1 : 0);
export const milliseconds = (value: number) => `${value < 10 ? value.toFixed(1) : whole(value)} ms`;
export const fixed = (value: number, digits: number) => value.toFixed(digits);

/** 22.8 M */
export function rounded(value: number): string {
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} M` : whole(value);
}

export const megabytes = (bytes: number) => `${whole(bytes / 1e6)} MB`;

/** A token as one can see it: a space before it is a low mark, and the end is named. */
export function visible(label: string): string {
  if (label === '</s>') return 'end';
  return label.startsWith(' ') ? `␣${label.slice(1)}` : label;
}
