/** As spinning.node.ts does where nothing tells whether others want the cores. */
export const spinShift = (_threads: number) => 0;
