export * from '../../testing/exactness';
