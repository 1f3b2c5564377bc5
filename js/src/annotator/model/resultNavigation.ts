/** The way along a list that one has chosen from: next and back go from row to row. */
export class ResultNavigation {
  private ids: readonly string[] = [];

  start(ids: readonly string[]): void {
    this.ids = ids;
  }

  clear(): void {
    this.ids = [];
  }

  /** Where an example stands on the way, counted from 1; null where it is not on it. */
  positionOf(id: string | null): { readonly at: number; readonly of: number } | null {
    const index = id === null ? -1 : this.ids.indexOf(id);
    return index < 0 ? null : { at: index + 1, of: this.ids.length };
  }

  /** The ids that follow in a direction, the nearest first. */
  following(id: string, by: 1 | -1, count: number): readonly string[] {
    const index = this.ids.indexOf(id);
    if (index < 0) return [];
    const steps = Array.from({ length: count }, (_, i) => this.ids[index + by * (i + 1)]);
    return steps.filter((one) => one !== undefined);
  }
}
