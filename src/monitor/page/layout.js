/**
 * Where the stages of a graph stand: a column for each step from the sources on, and in a column in the order of what feeds them.
 *
 * @returns for each stage, by name, its column and its row; and how many columns and rows there are
 */
export function layout(stages, edges) {
  const into = new Map(stages.map(({ name }) => [name, []]));
  for (const { from, to } of edges) into.get(to)?.push(from);
  const columns = new Map();
  const column = (name, seen = new Set()) => {
    if (columns.has(name)) return columns.get(name);
    if (seen.has(name)) return 0;
    seen.add(name);
    const before = (into.get(name) ?? []).map((one) => column(one, seen) + 1);
    columns.set(name, Math.max(0, ...before));
    return columns.get(name);
  };
  for (const { name } of stages) column(name);

  const cells = new Map();
  const width = Math.max(0, ...columns.values()) + 1;
  let height = 1;
  for (let at = 0; at < width; at++) {
    const inColumn = stages.filter(({ name }) => columns.get(name) === at).map(({ name }) => name);
    const desiredRow = (name) => {
      const rows = into.get(name).map((one) => cells.get(one)?.row ?? 0);
      return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row, 0) / rows.length;
    };
    const sorted = inColumn
      .map((name, i) => ({ name, desiredRow: desiredRow(name), i }))
      .sort((a, b) => a.desiredRow - b.desiredRow || a.i - b.i);
    let next = 0;
    for (const { name, desiredRow: row } of sorted) {
      const alone = sorted.length === 1 || Number.isInteger(row);
      const taken = Math.max(next, alone && at > 0 ? Math.round(row) : next);
      cells.set(name, { column: at, row: taken });
      next = taken + 1;
    }
    height = Math.max(height, next);
  }
  return { cells, width, height };
}
