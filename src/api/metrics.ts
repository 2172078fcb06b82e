/** Metrics of the application's own, with the names of Flink's API. They are told by REST and to reporters. */

export interface MetricGroup {
  /** Same name, same counter. */
  counter(name: string): MetricCounter;
  /**
   * @param value Asked about once a second, between two records. While it throws or gives no number, there is no
   * value. A gauge of the same name takes the place of the one before.
   */
  gauge(name: string, value: () => number | bigint | boolean): void;
  /** Its value is the number of events a second, of about the last ten. Same name, same meter. */
  meter(name: string): Meter;
  /** Its value is how the last 1024 values are distributed. Same name, same histogram. */
  histogram(name: string): Histogram;
  /**
   * A group within this one. With a value the name is a label of its metrics for reporters:
   * `addGroup('topic', 'orders')`. Same name and value, same group.
   */
  addGroup(name: string, value?: string): MetricGroup;
}

export interface MetricCounter {
  /** @param by Default: 1. */
  inc(by?: number): void;
  dec(by?: number): void;
  getCount(): number;
}

export interface Meter {
  /** @param count Events that have happened. Default: 1. */
  markEvent(count?: number): void;
  getCount(): number;
}

export interface Histogram {
  update(value: number): void;
  getCount(): number;
}
