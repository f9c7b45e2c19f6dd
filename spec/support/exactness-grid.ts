export * from '../../testing/grid';
