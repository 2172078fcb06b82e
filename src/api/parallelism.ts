/** @throws RangeError when it is no whole number from 1 to 32768 (Flink's upper bound of key groups). */
export function checkParallelism(parallelism: number): number {
  if (Number.isInteger(parallelism) && parallelism >= 1 && parallelism <= 32_768)
    return parallelism;
  throw new RangeError(`a parallelism is a whole number from 1 to 32768, not ${parallelism}`);
}
