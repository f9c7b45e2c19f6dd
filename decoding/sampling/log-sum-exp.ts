/** log Σ exp(value · inverseTemperature), with the largest value subtracted from all of them. −∞ when every value is. */
export function logSumExp(values: ArrayLike<number>, inverseTemperature = 1): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] - largest) * inverseTemperature);
  return largest * inverseTemperature + Math.log(sum);
}
